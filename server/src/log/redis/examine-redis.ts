import { formatInstant, systemClock } from '../../base/clock.ts';
import type { Finding } from '../../base/finding.ts';
import { limits } from '../../base/limits.ts';
import { checkVersion, durabilityText, readServerFacts, type ServerFacts } from './durability.ts';
import { inspectKeys } from './log-state.ts';
import { RedisConnection } from './redis-connection.ts';
import { checkRights } from './redis-scripts.ts';
import { parseRedisUrl, type RedisTarget } from './redis-target.ts';
import { countRunningHubs } from './running-hubs.ts';

const mebibyte = 1024 * 1024;
/** From this part of `maxmemory` on it is a warning. */
const fullFrom = 0.8;

/** Looks at the server and the log's keys without changing anything. */
export async function examineRedis(url: string): Promise<readonly Finding[]> {
  let connection: RedisConnection | undefined;
  try {
    const target = parseRedisUrl(url);
    connection = await RedisConnection.open(target, systemClock);
    return await examineServer(connection, target);
  } catch (reason) {
    return [{ state: 'fail', name: 'redis', detail: messageOf(reason) }];
  } finally {
    connection?.destroy();
  }
}

async function examineServer(
  connection: RedisConnection,
  target: RedisTarget,
): Promise<readonly Finding[]> {
  const send = connection.send.bind(connection);
  const facts = await readServerFacts(send);
  checkVersion(facts, target.shown);
  const version = facts.info.get('redis_version') ?? 'of unknown version';
  const durable = facts.weaknesses.length === 0;
  return [
    { state: 'ok', name: 'redis', detail: `${target.shown}, Redis ${version}` },
    {
      state: durable ? 'ok' : 'fail',
      name: 'durability',
      detail: durable ? durabilityText([]) : facts.weaknesses.join('; '),
    },
    examineMemory(facts),
    await tried('rights', async () => {
      await checkRights(send, target);
      return 'the user may do all that the hub needs';
    }),
    await tried('stream', () => examineStream(connection, target)),
    await tried('hubs', () => examineHubs(connection, target)),
    await examineClock(connection),
  ];
}

function examineMemory({ info }: ServerFacts): Finding {
  const used = Number(info.get('used_memory') ?? 0);
  const max = Number(info.get('maxmemory') ?? 0);
  if (max === 0) {
    const detail = `${Math.ceil(used / mebibyte)} MiB used, without a bound: set maxmemory below what the machine has`;
    return { state: 'warn', name: 'memory', detail };
  }
  const state = used >= max * fullFrom ? 'warn' : 'ok';
  const advice = state === 'ok' ? '' : ': raise maxmemory, or look why the log is not trimmed';
  const detail = `${Math.ceil(used / mebibyte)} of ${Math.floor(max / mebibyte)} MiB used${advice}`;
  return { state, name: 'memory', detail };
}

async function examineStream(connection: RedisConnection, target: RedisTarget): Promise<string> {
  const { keys } = target;
  const { isMarked, trimmedTo } = await inspectKeys(connection, target);
  if (!isMarked) return `"${keys.stream}" is not there yet: \`event-hub serve\` makes it`;
  const entries = await connection.send(['XLEN', keys.stream]);
  const trimmed = trimmedTo === undefined ? 'nothing trimmed' : `trimmed up to ${trimmedTo}`;
  return `"${keys.stream}" has ${entries} entries, ${trimmed}`;
}

async function examineHubs(connection: RedisConnection, target: RedisTarget): Promise<string> {
  const running = await countRunningHubs(connection, target);
  if (running === undefined) return 'how many run cannot be read (grant +client|list)';
  return running === 0 ? 'no hub runs on the log' : `${running} running on the log`;
}

/** Ages are taken by both clocks. */
async function examineClock(connection: RedisConnection): Promise<Finding> {
  const before = systemClock.now();
  const answer = await tried('clock', async () => {
    const [seconds] = (await connection.send(['TIME'])) as readonly string[];
    return seconds ?? '';
  });
  if (answer.state === 'fail') return { ...answer, state: 'warn' };
  const redisMs = Number(answer.detail) * 1000;
  const skewMs = Math.abs(redisMs - before);
  if (skewMs <= limits.redisClockSkewMs) {
    return { state: 'ok', name: 'clock', detail: 'Redis has the time of this machine' };
  }
  const detail = `Redis has ${formatInstant(redisMs)}, this machine ${formatInstant(before)}: set both by NTP`;
  return { state: 'warn', name: 'clock', detail };
}

async function tried(name: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { state: 'ok', name, detail: await look() };
  } catch (reason) {
    return { state: 'fail', name, detail: messageOf(reason) };
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
