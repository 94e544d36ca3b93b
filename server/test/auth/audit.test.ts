import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newApiKey } from '../../src/auth/api-key.ts';
import type { Presented } from '../../src/auth/identify.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/logger.ts';
import { createAccess, type HubAccess } from '../../src/main/access.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { testSettings } from '../support/test-settings.ts';
import { tokenSettings, tokensNow } from '../support/token-claims.ts';
import { hostileTokens } from './hostile-tokens.ts';
import { Spoken } from './spoken.ts';

let clock: ManualClock;
let folder: TemporaryFolder;
let store: EventStore;
let tokens: TokenVerifier;
let access: HubAccess;
let lines: string[];

beforeEach(async () => {
  clock = manualClock(tokensNow);
  folder = temporaryFolder();
  const url = `sqlite:${join(folder.path, 'hub.db')}`;
  store = await openSqliteStore(url, { exclusive: true });
  lines = [];
  const logger = createLogger('trace', { write: (line) => lines.push(line) });
  const secret = 's'.repeat(32);
  const settings = { ...tokenSettings, keys: { kind: 'secret', secret } } as const;
  tokens = createTokenVerifier(settings, { clock, logger });
  access = createAccess({
    settings: testSettings(folder.path),
    keys: store.keys,
    tokens,
    clock,
    logger,
  });
  await access.admit();
});

afterEach(async () => {
  await access.stop();
  await tokens.close();
  await store.close();
  folder.remove();
});

const told = (audit: string) =>
  lines
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter((line) => line.audit === audit);
const show = async (presented: Partial<Presented>, address = '192.0.2.1') => {
  try {
    await access.identify({ bearer: undefined, apiKey: undefined, ...presented }, address);
    return 'in';
  } catch (reason) {
    return (reason as { readonly code: string }).code;
  }
};
const addKey = async (name: string) => {
  const { id, text, hash } = newApiKey();
  const ends = { expiresAt: undefined, revokedAt: undefined, lastUsedAt: undefined };
  const key = { id, name, hash, scopes: ['admin'], eventTypes: undefined, ...ends };
  await store.keys.add({ ...key, createdAt: clock.now() }, 0);
  await look();
  return { id, text };
};
/** The look that every process takes once a second; one that was under way already has seen nothing new. */
const look = async () => {
  const before = lines.length;
  do {
    await clock.advance(1_000);
    for (let waits = 0; waits < 100 && lines.length === before; waits += 1) {
      await systemClock.sleep(10);
    }
  } while (lines.length === before);
};

describe('the audit lines', () => {
  it('tell of each refused credential why, and never what it was', async () => {
    const key = newApiKey().text;
    const credentials = [
      { name: 'an unknown key', bearer: key },
      { name: 'a mistyped key', bearer: key.slice(0, -1) },
      { name: 'a word', bearer: 'correct-horse-battery-staple' },
      ...hostileTokens.map(({ name, token }) => ({ name, bearer: token })),
    ];
    const spoken = new Spoken();
    for (const [index, { name, bearer }] of credentials.entries()) {
      // Refusals are told of in a number that a flood cannot raise.
      if (index % 20 === 0) await clock.advance(10_000);
      const before = lines.length;
      expect(await show({ bearer }, `192.0.2.${index}`), name).toBe('unauthenticated');
      expect(lines.length, name).toBe(before + 1);
      expect(told('credential_refused').at(-1)).toMatchObject({
        level: 40,
        address: `192.0.2.${index}`,
        reason: expect.stringMatching(/./),
      });
    }
    spoken.add('the log', lines.join(''));
    const parts = credentials.flatMap(({ name, bearer }) =>
      // Whole, and in the parts of a token that are its maker's alone.
      [bearer, ...bearer.split('.').slice(1)]
        .filter((part) => part.length > 12)
        .map((part, at): [string, string] => [`${name}, part ${at}`, part]),
    );
    expect(spoken.find(Object.fromEntries(parts))).toEqual([]);
  });

  it('tell of an address once in ten seconds, of twenty at the most, and count the rest', async () => {
    for (let call = 0; call < 5; call += 1) await show({}, '192.0.2.1');
    expect(told('credential_refused')).toMatchObject([
      { address: '192.0.2.1', reason: 'no credential' },
    ]);
    for (let host = 2; host <= 50; host += 1) await show({}, `192.0.2.${host}`);
    expect(told('credential_refused')).toHaveLength(20);
    await clock.advance(10_000);
    await show({}, '192.0.2.1');
    expect(told('credential_refused').at(-1)).toMatchObject({ address: '192.0.2.1', untold: 30 });
  });

  it("tell of a key's life by its name and id", async () => {
    const { id, text } = await addKey('shop');
    const named = { level: 30, key: 'shop', key_id: id };
    expect(told('key_created')).toMatchObject([named]);
    expect(told('access_closed')).toHaveLength(1);
    for (let call = 0; call < 3; call += 1) expect(await show({ apiKey: text })).toBe('in');
    await look();
    expect(told('key_used')).toMatchObject([{ ...named, calls: 3 }]);
    await store.keys.revoke([id], clock.now());
    await look();
    expect(told('key_ended')).toMatchObject([named]);
    await store.keys.reopen();
    await look();
    expect(told('access_reopened')).toHaveLength(1);
    expect(lines.join('')).not.toContain(text.split('_')[3]);
  });

  it('tell of the use of a busy key once a minute', async () => {
    const { text } = await addKey('shop');
    await show({ apiKey: text });
    await look();
    for (let call = 0; call < 5; call += 1) await show({ apiKey: text });
    await clock.advance(30_000);
    // A look, of which another line tells.
    await addKey('other');
    await clock.advance(30_000);
    await show({ apiKey: text });
    await look();
    expect(told('key_used').map(({ calls }) => calls)).toEqual([1, 6]);
  });
});
