import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { renderConfigDocs } from '../../src/config/config-docs.ts';

describe('docs/config.md', () => {
  it('says what the schema says (npm run docs writes it anew)', async () => {
    const written = await readFile(new URL('../../../docs/config.md', import.meta.url), 'utf8');
    expect(written).toBe(renderConfigDocs());
  });
});
