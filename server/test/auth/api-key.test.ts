import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hashOfApiKey,
  idOfApiKey,
  isApiKey,
  isSameHash,
  newApiKey,
} from '../../src/auth/api-key.ts';

describe('an API key', () => {
  it('is found by its beginning, names its id, and is hashed whole', () => {
    const { id, text, hash } = newApiKey();
    expect(text).toMatch(/^eh_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    expect(isApiKey(text)).toBe(true);
    expect(idOfApiKey(text)).toBe(id);
    expect(isSameHash(hash, hashOfApiKey(text))).toBe(true);
    expect(hash).not.toContain(text.split('_')[3]);
  });

  it('is never made twice', () => {
    const made = Array.from({ length: 1_000 }, newApiKey);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1_000);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1_000);
  });

  it('is told from one with a character changed, left out or added', () => {
    const { text } = newApiKey();
    const position = fc.nat({ max: text.length - 1 });
    const character = fc.constantFrom(...'09AZaz_ -é');
    fc.assert(
      fc.property(position, character, fc.constantFrom(0, 1), (at, inserted, removed) => {
        const changed = text.slice(0, at) + inserted + text.slice(at + removed);
        fc.pre(changed !== text);
        expect(idOfApiKey(changed)).toBeUndefined();
      }),
    );
    expect(idOfApiKey(text.slice(0, -1))).toBeUndefined();
  });

  it('is nothing that somebody else made', () => {
    for (const text of ['', 'eh_live_', 'sk_live_abc', 'a.b.c', `eh_live_${'a'.repeat(8_000)}`]) {
      expect(idOfApiKey(text)).toBeUndefined();
    }
  });
});
