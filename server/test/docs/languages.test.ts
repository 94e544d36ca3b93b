import { describe, expect, it } from 'vitest';
import { blocksOf, readDocument } from '../support/document-steps.ts';
import { findFiles } from '../support/source-files.ts';

const pairs = findFiles('*.ru.md', 'docs/**/*.ru.md').map((russian) => ({
  russian,
  english: russian.replace('.ru.md', '.md'),
}));

describe('the Russian documents', () => {
  it('are those that readers of the prototype need', () => {
    expect(pairs.map(({ english }) => english)).toEqual([
      'README.md',
      'docs/from-the-prototype.md',
    ]);
  });

  describe.each(pairs)('$russian', ({ russian, english }) => {
    const [ours, other] = [readDocument(russian), readDocument(english)];

    it('has the code blocks of the English one, byte for byte', () => {
      expect(blocksOf(ours)).toEqual(blocksOf(other));
    });

    it('has its headings, level by level, each in Russian where it is no name', () => {
      expect(headingsOf(ours).map(({ level }) => level)).toEqual(
        headingsOf(other).map(({ level }) => level),
      );
      const latin = headingsOf(ours).filter(({ text }) => !/[а-яё]/i.test(text));
      expect(latin.map(({ text }) => text).filter((text) => text !== 'Event Hub')).toEqual([]);
    });

    it('leads where it leads', () => {
      const targets = (text: string) =>
        [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, link = '']) => link.replace('.ru.md', '.md'));
      expect(targets(ours).sort()).toEqual(targets(other).sort());
    });

    it('is linked from there, and links back', () => {
      expect(other).toContain(`](${russian.split('/').at(-1)})`);
      expect(ours).toContain(`](${english.split('/').at(-1)})`);
    });
  });
});

function headingsOf(markdown: string) {
  const text = markdown.replace(/^```.*?^```$/gms, '');
  return [...text.matchAll(/^(#+) (.+)$/gm)].map(([, level = '', heading = '']) => ({
    level: level.length,
    text: heading,
  }));
}
