import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDocument } from '../support/document-steps.ts';
import { codeIn, tablesOf } from '../support/markdown-tables.ts';
import { exists, repository } from '../support/source-files.ts';

const page = readDocument('docs/compared.md');
const [neighbours = [], claims = []] = tablesOf(page);

describe('docs/compared.md', () => {
  it('says of when it is, and of which commit of each neighbour', () => {
    expect(page).toMatch(/^As of 20\d\d-\d\d-\d\d\./m);
    const commits = page.match(/[\w.-]+\/[\w.-]+ [0-9a-f]{8} \(20\d\d-\d\d-\d\d\)/g) ?? [];
    expect(commits).toHaveLength(neighbours.length);
  });

  it('says of each neighbour what it does better', () => {
    for (const row of neighbours) expect(row.filter((cell) => cell !== '')).toHaveLength(4);
  });

  it.each(claims)('names what shows it: %s', (_claim, shown = '') => {
    const titles = [...shown.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
    const files = codeIn(shown);
    expect(titles.length).toBeGreaterThan(0);
    expect(files.length).toBeGreaterThan(0);
    const texts = files.map((file) => readFileSync(join(repository, file), 'utf8'));
    expect(titles.filter((title) => !texts.some((text) => text.includes(title)))).toEqual([]);
    expect(texts.filter((text) => !titles.some((title) => text.includes(title)))).toEqual([]);
  });

  it('calls nothing missing that has come', () => {
    const [, missing = ''] = page.split('## What it does not do');
    const places = { Webhooks: 'server/src/readers/webhooks', console: 'console', SDKs: 'client' };
    for (const [word, place] of Object.entries(places)) {
      expect(missing).toContain(word);
      expect(exists(place)).toBe(false);
    }
  });
});
