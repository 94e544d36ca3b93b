import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { renderErrorDocs } from '../../src/protocols/error-docs.ts';

describe('docs/errors.md', () => {
  it('says what the error table says (npm run docs writes it anew)', async () => {
    const written = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    expect(written).toBe(renderErrorDocs());
  });
});
