import { randomBytes } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import type { IngestClient } from '../clients/ingest-client.ts';
import { type HubAddress, openClient } from '../clients/open-client.ts';
import { withRetries } from '../clients/retrying-client.ts';
import { defineCommand } from '../command.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { countOf, durationOf } from '../flag-values.ts';
import { showProgress } from '../generate/progress.ts';
import { RunTally, runTraffic } from '../generate/run-traffic.ts';
import { ShopTraffic } from '../generate/shop-traffic.ts';
import { writeSummary } from '../generate/summary.ts';
import { addressFlags, hubAddress, isLoopback } from '../hub-address.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import type { Terminal } from '../terminal.ts';

/** How each protocol is spoken: events in a request, and requests under way when nobody says. */
const styles = {
  rest: { batch: 1, concurrency: 32 },
  batch: { batch: 500, concurrency: 2 },
  grpc: { batch: 1, concurrency: 256 },
  graphql: { batch: 1, concurrency: 16 },
} as const;
type Style = keyof typeof styles;

const countDefault = 1_000;
/** Late events of a seeded run are late against it, so that each run says the same. */
const seededNow = Date.UTC(2025, 0, 1);

export const generate = defineCommand({
  name: 'generate',
  summary: 'Send believable shop traffic and measure it.',
  description:
    'Sends the purchases, returns and refunds of a small shop, whose customers are named demo-..., and measures throughput and latency. A seed gives the same traffic each time; the ids are new in each run, unless --ids seeded makes a second run all duplicates. What fails for a while is sent again with the same ids. Ctrl-C ends with the summary.',
  flags: {
    rate: {
      kind: 'text',
      value: 'N',
      default: '0',
      help: 'Events in a second; 0 is as fast as possible.',
    },
    count: { kind: 'text', value: 'N', help: `Events in all; ${countDefault} without --duration.` },
    duration: { kind: 'text', value: 'TIME', help: 'How long, as 30s or 5m.' },
    protocol: {
      kind: 'text',
      value: 'NAME',
      choices: Object.keys(styles),
      default: 'rest',
      help: 'rest and graphql send single events, batch NDJSON, grpc one stream in both directions.',
    },
    batch: { kind: 'text', value: 'N', help: 'Events in one request of --protocol batch. (500)' },
    concurrency: { kind: 'text', value: 'N', help: 'Requests under way at once.' },
    customers: { kind: 'text', value: 'N', default: '1000', help: 'Different users.' },
    seed: { kind: 'text', value: 'TEXT', default: 'shop', help: 'What the traffic follows from.' },
    ids: {
      kind: 'text',
      value: 'KIND',
      choices: ['fresh', 'seeded'],
      default: 'fresh',
      help: 'New ids in each run, or ids that follow from the seed.',
    },
    yes: { kind: 'switch', help: 'Needed for a hub that is not on this machine.' },
    output: reportOutputFlag,
    ...addressFlags,
  },
  examples: [
    ['event-hub generate', `${countDefault} events as fast as possible`],
    ['event-hub generate --rate 20 --duration 5m', 'a quiet shop, to look at'],
    ['event-hub generate --protocol grpc --count 100000 --output json', 'a measurement'],
  ],
  run: async ({ flags, terminal, interrupted }) => {
    const address = hubAddress(flags);
    if (!isLoopback(address) && !flags.yes) {
      throw usageError(`${address.url} is not this machine, and its events stay: add --yes`);
    }
    const style = styleOf(flags.protocol);
    const batch = style === 'batch' ? countOf('batch', flags.batch ?? '500', 1, 10_000) : 1;
    const concurrency = countOf(
      'concurrency',
      flags.concurrency ?? String(styles[style].concurrency),
      1,
      1_000,
    );
    const durationMs =
      flags.duration === undefined
        ? Number.POSITIVE_INFINITY
        : durationOf('duration', flags.duration);
    const goal = { countMax: wantedCount(flags.count, durationMs), durationMs };
    const rate = countOf('rate', flags.rate, 0, 1_000_000);
    const isSeeded = flags.ids === 'seeded';
    const traffic = new ShopTraffic({
      seed: flags.seed,
      idPrefix: `demo-${isSeeded ? idText(flags.seed) : randomBytes(5).toString('hex')}`,
      customers: countOf('customers', flags.customers, 1, 1_000_000),
      lateBefore: isSeeded ? seededNow : undefined,
    });
    const client = withRetries(await open(style, address, concurrency), {
      clock: systemClock,
      giveUpMs: 30_000,
      signal: interrupted,
      onWait: oncePerSecond(terminal),
    });
    const tally = new RunTally();
    const endProgress = showProgress(terminal, tally, goal);
    try {
      await runTraffic(
        {
          clock: systemClock,
          traffic,
          client,
          batch,
          concurrency,
          rate,
          signal: interrupted,
          ...goal,
        },
        tally,
      );
    } finally {
      endProgress();
      client.close();
    }
    await writeSummary(tally, formatOf(flags.output, terminal), terminal);
    return conclude(tally, terminal, style === 'grpc' ? address.grpcUrl : address.url);
  },
});

function styleOf(name: string): Style {
  return (Object.keys(styles) as Style[]).find((style) => style === name) ?? 'rest';
}

function wantedCount(count: string | undefined, durationMs: number): number {
  if (count !== undefined) return countOf('count', count, 1);
  return Number.isFinite(durationMs) ? Number.POSITIVE_INFINITY : countDefault;
}

/** A seed as part of an id. */
function idText(seed: string): string {
  return Buffer.from(seed).toString('base64url').slice(0, 40);
}

async function open(style: Style, address: HubAddress, connections: number): Promise<IngestClient> {
  if (style !== 'grpc') {
    return await openClient(style === 'batch' ? 'rest' : style, address, connections);
  }
  const { GrpcStreamClient } = await import('../clients/grpc-stream-client.ts');
  return new GrpcStreamClient(address);
}

/** Many requests fail together: one line says it for all. */
function oncePerSecond(terminal: Terminal): (reason: string) => void {
  let saidMs = Number.NEGATIVE_INFINITY;
  return (reason) => {
    const nowMs = systemClock.monotonicMs();
    if (nowMs - saidMs < 1_000) return;
    saidMs = nowMs;
    terminal.err(`${reason}; sending the same events again`);
  };
}

function conclude(tally: RunTally, terminal: Terminal, address: string): ExitCode {
  for (const { id, code, detail } of tally.refusals) {
    terminal.err(`refused ${id}: ${code}: ${detail}`);
  }
  const { lost } = tally;
  if (lost === undefined) return tally.refused === 0 ? exitCode.done : exitCode.refused;
  const hint = lost.code === 'unreachable' ? `: is a hub running at ${address}?` : '';
  throw new CommandError(exitCode.unreachable, `${lost.message}${hint}`);
}
