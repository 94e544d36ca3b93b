import { newApiKey } from '../../auth/api-key.ts';
import { actions } from '../../auth/caller.ts';
import { isOver } from '../../auth/key-caller.ts';
import { formatInstant, type Instant, systemClock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Settings } from '../../config/settings.ts';
import type { KeyStore, StoredKey } from '../../store/key-store.ts';
import { auditAct } from '../audit-act.ts';
import { defineCommand, type FlagValues } from '../command.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { durationOf } from '../flag-values.ts';
import { openHubStore } from '../open-engines.ts';
import { openSettings } from '../open-settings.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import { openRecordOutput, type RecordShape } from '../output/record-output.ts';
import type { Terminal } from '../terminal.ts';

const flagsOfKeys = {
  name: { kind: 'text', value: 'NAME', help: 'What people call the key.' },
  id: { kind: 'text', value: 'ID', help: 'One key of several with a name, for revoke.' },
  scopes: {
    kind: 'text',
    value: 'LIST',
    help: `What it may do: ${actions.join(', ')} (all of them). For create.`,
  },
  expires: {
    kind: 'text',
    value: 'DURATION',
    help: 'How long it holds, as in 90d; for ever when absent. For create and rotate.',
  },
  'event-types': {
    kind: 'list',
    value: 'TYPES',
    help: 'The only types of events that it may send and see, as in purchase,refund; all when absent. For create.',
  },
  overlap: {
    kind: 'text',
    value: 'DURATION',
    default: '24h',
    help: 'How long the old key still holds beside the new one. For rotate.',
  },
  yes: { kind: 'switch', help: 'Needed to reopen.' },
  output: reportOutputFlag,
} as const;

type KeyFlags = FlagValues<typeof flagsOfKeys>;

export const keys = defineCommand({
  name: 'keys',
  summary: 'Make, list, rotate and revoke API keys.',
  description:
    'Keys are kept in the store, so that all hub processes on it know them within 5 s; only a hash is kept, and the key itself is shown once. The first key closes the hub for good: from then on nobody is served without a credential.',
  actions: {
    create: 'A new key. Needs --name and --scopes.',
    list: 'All keys, with when each was used last.',
    rotate:
      'A new key with the name, the scopes and the types of the old one, which holds until the overlap is over.',
    revoke: 'Ends the keys with this name, or the one with this id, for good.',
    reopen: 'Serves everybody without a credential again, as before the first key.',
  },
  flags: flagsOfKeys,
  usesSettings: true,
  examples: [
    ['event-hub keys create --name shop --scopes events:write', 'for a shop that sends'],
    [
      'event-hub keys create --name prometheus --scopes metrics:read --expires 90d',
      'for a scraper',
    ],
    ['event-hub keys rotate --name shop --overlap 7d', 'both hold for a week'],
    ['event-hub keys revoke --name shop', 'within 5 s nobody comes in with it'],
  ],
  run: async ({ action, flags, settingFlags, terminal }) => {
    const { settings } = openSettings(settingFlags, terminal);
    const store = await openHubStore(settings);
    const desk: Desk = {
      keys: store.keys,
      settings,
      terminal,
      now: systemClock.now(),
    };
    try {
      return await acts[action as keyof typeof acts](desk, flags);
    } finally {
      await store.close();
    }
  },
});

/** What every action works with. */
interface Desk {
  readonly keys: KeyStore;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly now: Instant;
}

const acts = { create, list, rotate, revoke, reopen } satisfies Record<
  string,
  (desk: Desk, flags: KeyFlags) => Promise<ExitCode>
>;

async function create(desk: Desk, flags: KeyFlags): Promise<ExitCode> {
  const name = nameOf(flags);
  const scopes = listOf(flags.scopes === undefined ? [] : [flags.scopes]);
  if (scopes.length === 0) throw usageError(`say what it may do: --scopes ${actions.join(',')}`);
  const unknown = scopes.find((scope) => !actions.some((action) => action === scope));
  if (unknown !== undefined) {
    throw usageError(`'${unknown}' is no scope: there are ${actions.join(', ')}`);
  }
  const types = listOf(flags['event-types']);
  const unknownType = types.find((type) => !desk.settings.eventTypes.has(type));
  if (unknownType !== undefined) {
    const known = [...desk.settings.eventTypes.keys()].join(', ');
    throw usageError(`'${unknownType}' is no configured event type: there are ${known}`);
  }
  if ((await liveKeys(desk, (key) => key.name === name)).length > 0) {
    throw usageError(`there is a key with the name ${name}: rotate it, or choose another name`);
  }
  const eventTypes = types.length === 0 ? undefined : types;
  await give(desk, flags, { name, scopes, eventTypes });
  return exitCode.done;
}

async function rotate(desk: Desk, flags: KeyFlags): Promise<ExitCode> {
  const name = nameOf(flags);
  const overlapMs = durationOf('overlap', flags.overlap);
  const old = await liveKeys(desk, (key) => key.name === name);
  const newest = old.at(-1);
  if (newest === undefined) throw noSuchKey(name);
  await give(desk, flags, newest);
  const ids = old.map(({ id }) => id);
  await desk.keys.expire(ids, desk.now + overlapMs);
  desk.terminal.err(`the old key holds until ${formatInstant(desk.now + overlapMs)}`);
  return exitCode.done;
}

async function revoke(desk: Desk, flags: KeyFlags): Promise<ExitCode> {
  if ((flags.name === undefined) === (flags.id === undefined)) {
    throw usageError('say which: --name NAME or --id ID');
  }
  const found = await liveKeys(desk, ({ id, name }) => id === flags.id || name === flags.name);
  if (found.length === 0) throw noSuchKey(flags.name ?? flags.id ?? '');
  await desk.keys.revoke(
    found.map(({ id }) => id),
    desk.now,
  );
  for (const key of found) auditAct(desk.settings, 'key_revoked', key);
  desk.terminal.err(`revoked: ${found.map(({ id, name }) => `${name} (${id})`).join(', ')}`);
  return exitCode.done;
}

async function list(desk: Desk, flags: KeyFlags): Promise<ExitCode> {
  const format = formatOf(flags.output, desk.terminal);
  const output = openRecordOutput(format, shapeAt(desk.now), desk.terminal);
  for (const key of (await desk.keys.access()).keys) await output.write(key);
  await output.end();
  return exitCode.done;
}

async function reopen(desk: Desk, flags: KeyFlags): Promise<ExitCode> {
  if (!flags.yes) {
    throw usageError('this serves everybody without a credential again: add --yes');
  }
  await desk.keys.reopen();
  auditAct(desk.settings, 'access_reopened');
  desk.terminal.err('open again within 5 s; keys that still hold go on holding');
  return exitCode.done;
}

/** Makes the key and shows it, which is the only time. */
async function give(
  { keys, settings, terminal, now }: Desk,
  flags: KeyFlags,
  wanted: Pick<StoredKey, 'name' | 'scopes' | 'eventTypes'>,
): Promise<void> {
  const { name, scopes, eventTypes } = wanted;
  await assertRoom(keys, now);
  const { id, text, hash } = newApiKey();
  const forMs = flags.expires === undefined ? undefined : durationOf('expires', flags.expires);
  const expiresAt = forMs === undefined ? undefined : now + forMs;
  const ends = { expiresAt, revokedAt: undefined, lastUsedAt: undefined };
  const key = { id, name, hash, scopes, eventTypes, createdAt: now, ...ends };
  await keys.add(key, now - limits.apiKeyForgetMs);
  auditAct(settings, 'key_created', key);
  if (flags.output === 'json' || flags.output === 'ndjson') {
    const expires = expiresAt === undefined ? null : formatInstant(expiresAt);
    await terminal.out(`${JSON.stringify({ id, name, key: text, scopes, expires_at: expires })}\n`);
    return;
  }
  await terminal.out(`${text}\n`);
  terminal.err(`${name} (${id}) may ${scopes.join(', ')}; the key is not shown again`);
}

async function liveKeys(
  { keys, now }: Desk,
  wanted: (key: StoredKey) => boolean,
): Promise<readonly StoredKey[]> {
  const { keys: all } = await keys.access();
  return all.filter((key) => wanted(key) && !isOver(key, now));
}

/** Keys that ended long ago are forgotten when one is added, and take no room. */
async function assertRoom(keys: KeyStore, now: Instant): Promise<void> {
  const { keys: all } = await keys.access();
  const forgotten = now - limits.apiKeyForgetMs;
  const kept = all.filter(
    ({ revokedAt = now, expiresAt = now }) => Math.min(revokedAt, expiresAt) >= forgotten,
  );
  if (kept.length < limits.apiKeys) return;
  throw usageError(
    `there are ${limits.apiKeys} keys, ended ones included, which is as many as a hub knows`,
  );
}

function nameOf({ name }: KeyFlags): string {
  if (name !== undefined && /^[\w.@/-]{1,64}$/.test(name)) return name;
  throw usageError('--name takes 1 to 64 of letters, digits and _.@/-');
}

/** `a,b`, given once or several times. */
function listOf(texts: readonly string[]): readonly string[] {
  const parts = texts.flatMap((text) => text.split(',')).map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}

function noSuchKey(name: string): CommandError {
  return new CommandError(exitCode.refused, `no key ${name} holds: event-hub keys list`);
}

function shapeAt(now: Instant): RecordShape<StoredKey> {
  const time = (at: Instant | undefined) => (at === undefined ? '' : formatInstant(at));
  const state = (key: StoredKey) => {
    if (key.revokedAt !== undefined) return 'revoked';
    return isOver(key, now) ? 'expired' : 'holds';
  };
  const types = ({ eventTypes }: StoredKey) => eventTypes?.join(',') ?? '';
  return {
    columns: [
      { name: 'id', width: 8, text: ({ id }) => id },
      { name: 'name', width: 16, text: ({ name }) => name },
      { name: 'state', width: 7, text: state },
      { name: 'scopes', width: 24, text: ({ scopes }) => scopes.join(',') },
      { name: 'event_types', width: 16, text: types, wide: true },
      { name: 'created_at', width: 24, text: ({ createdAt }) => time(createdAt), wide: true },
      { name: 'expires_at', width: 24, text: ({ expiresAt }) => time(expiresAt) },
      { name: 'last_used_at', width: 24, text: ({ lastUsedAt }) => time(lastUsedAt) },
    ],
    json: (key) =>
      JSON.stringify({
        id: key.id,
        name: key.name,
        state: state(key),
        scopes: key.scopes,
        event_types: key.eventTypes ?? null,
        created_at: time(key.createdAt),
        expires_at: time(key.expiresAt) || null,
        revoked_at: time(key.revokedAt) || null,
        last_used_at: time(key.lastUsedAt) || null,
      }),
  };
}
