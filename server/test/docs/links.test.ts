import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDocument } from '../support/document-steps.ts';
import { exists, findFiles } from '../support/source-files.ts';

const documents = findFiles(
  '*.md',
  'docs/**/*.md',
  'examples/**/*.md',
  'bench/**/*.md',
  'deploy/**/*.md',
);

describe('every relative link', () => {
  it('is looked for in all documents', () => {
    for (const path of ['README.md', 'README.ru.md', 'docs/operate.md', 'docs/protocols/rest.md']) {
      expect(documents).toContain(path);
    }
    expect(documents.flatMap(linksIn).length).toBeGreaterThan(50);
  });

  it.each(documents)('leads somewhere: %s', (path) => {
    const broken = linksIn(path).filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!exists(target)) return true;
      return anchor !== undefined && !anchorsOf(readDocument(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('knows a heading by the anchor that GitHub gives it', () => {
    const text =
      "# Importing the prototype's events\n\n```\n# no heading\n```\n\n## A `b_c`, d\n## Ключи\n";
    expect([...anchorsOf(`${text}## Ключи\n`)]).toEqual([
      'importing-the-prototypes-events',
      'a-b_c-d',
      'ключи',
      'ключи-1',
    ]);
  });
});

function linksIn(path: string): readonly string[] {
  return [...withoutCode(readDocument(path)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(markdown, false).matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\p{M} _-]/gu, '');
    const anchor = plain.replaceAll(' ', '-');
    let name = anchor;
    for (let again = 1; anchors.has(name); again += 1) name = `${anchor}-${again}`;
    anchors.add(name);
  }
  return anchors;
}

function withoutCode(markdown: string, inline = true): string {
  const text = markdown.replace(/^```.*?^```$/gms, '');
  return inline ? text.replace(/`[^`\n]*`/g, '') : text;
}
