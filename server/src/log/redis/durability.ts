import { HubError } from '../../base/errors.ts';
import { unavailable } from './redis-faults.ts';

type Send = (command: readonly string[]) => Promise<unknown>;

/** What Redis says of itself. */
export interface ServerFacts {
  /** By `INFO`'s names; empty where that is not allowed. */
  readonly info: ReadonlyMap<string, string>;
  /** By `CONFIG GET`'s names; those of `wanted` that could be read. */
  readonly settings: ReadonlyMap<string, string>;
  /** What keeps an answer from being durable, each with its remedy. */
  readonly weaknesses: readonly string[];
}

/** Without these an answer is not durable. */
const wanted = {
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'maxmemory-policy': 'noeviction',
} as const;

/** The scripts need its flags. */
const oldestMajor = 7;

/** Reads what durability rests on. What cannot be read counts as weak. */
export async function readServerFacts(send: Send): Promise<ServerFacts> {
  const [info, settings] = await Promise.all([readInfo(send), readSettings(send)]);
  const weaknesses = [
    ...settingWeaknesses(settings),
    ...layoutWeaknesses(info),
    ...(await failoverWeaknesses(info, send)),
  ];
  return { info, settings, weaknesses };
}

/** Rejects with `conflict` when the server is too old to work with at all. */
export function checkVersion({ info }: ServerFacts, shown: string): void {
  const version = info.get('redis_version');
  if (version === undefined || Number.parseInt(version, 10) >= oldestMajor) return;
  throw new HubError(
    'conflict',
    `Redis at ${shown} is ${version}: ${oldestMajor}.0 or newer is needed`,
  );
}

/** To a start it is a `conflict`, which says what to do. */
export function weakDurability(weaknesses: readonly string[], shown: string): HubError {
  return new HubError(
    'conflict',
    `Redis at ${shown} would not keep what is acknowledged: ${weaknesses.join('; ')}. To serve all the same: EVENT_HUB_ALLOW_WEAK_DURABILITY=true`,
  );
}

/** What an answer of success means. */
export function durabilityText(weaknesses: readonly string[]): string {
  return weaknesses.length === 0
    ? 'Redis appendonly with appendfsync=always: on disk before the answer'
    : `Redis, WEAK as allowed: ${weaknesses.join('; ')}`;
}

async function readInfo(send: Send): Promise<ReadonlyMap<string, string>> {
  const text = await unlessRefused(send(['INFO']));
  const lines = typeof text === 'string' ? text.split('\r\n') : [];
  return new Map(
    lines
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

async function readSettings(send: Send): Promise<ReadonlyMap<string, string>> {
  const pairs = await unlessRefused(send(['CONFIG', 'GET', ...Object.keys(wanted)]));
  const found = new Map<string, string>();
  const texts = Array.isArray(pairs) ? pairs.map(String) : [];
  for (let at = 0; at < texts.length; at += 2) found.set(texts[at] ?? '', texts[at + 1] ?? '');
  return found;
}

function settingWeaknesses(settings: ReadonlyMap<string, string>): readonly string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const found = settings.get(name);
    if (found === value) return [];
    return found === undefined
      ? [`${name} cannot be read (grant +config|get)`]
      : [`${name} is ${found} (CONFIG SET ${name} ${value}, and in redis.conf)`];
  });
}

function layoutWeaknesses(info: ReadonlyMap<string, string>): readonly string[] {
  if (info.size === 0) return ['its role cannot be read (grant +info)'];
  const weaknesses: string[] = [];
  const mode = info.get('redis_mode');
  if (mode !== undefined && mode !== 'standalone') {
    weaknesses.push(`it runs as ${mode}, which replicates after the answer (use a server alone)`);
  }
  if (info.get('role') === 'slave') weaknesses.push('it is a replica (name the master in the URL)');
  return weaknesses;
}

/** A replica that may take over lacks what it was not yet sent. Sentinels listen on a channel of their own. */
async function failoverWeaknesses(
  info: ReadonlyMap<string, string>,
  send: Send,
): Promise<readonly string[]> {
  const replicas = Number(info.get('connected_slaves') ?? 0);
  if (replicas === 0) return [];
  const answer = await unlessRefused(send(['PUBSUB', 'NUMSUB', '__sentinel__:hello']));
  if (!Array.isArray(answer)) {
    return ['whether Sentinel watches it cannot be read (grant +pubsub|numsub)'];
  }
  return Number(answer[1]) > 0
    ? ['Sentinel may promote a replica that lacks the last answers (use a server alone)']
    : [];
}

/** Undefined where the user lacks the right, or the command was taken away. */
async function unlessRefused(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (reason) {
    if (isRefusal(reason)) return undefined;
    throw reason;
  }
}

function isRefusal(reason: unknown): boolean {
  const cause = reason instanceof HubError ? reason.cause : undefined;
  return cause instanceof Error && /^(NOPERM|ERR unknown command)/.test(cause.message);
}

/** What a running hub says when its engine was weakened. */
export function weakened(weaknesses: readonly string[], shown: string): HubError {
  return unavailable(weakDurability(weaknesses, shown).message);
}
