import type { OutputFormat } from '../output/record-output.ts';
import { openRecordOutput, type RecordShape } from '../output/record-output.ts';
import type { Terminal } from '../terminal.ts';
import type { RunTally } from './run-traffic.ts';

/** What the run did and how fast, on stdout. */
export async function writeSummary(
  tally: RunTally,
  format: OutputFormat,
  terminal: Terminal,
): Promise<void> {
  if (format === 'json' || format === 'ndjson') {
    await terminal.out(`${summaryShape.json(tally)}\n`);
    return;
  }
  const output = openRecordOutput(format, summaryShape, terminal);
  await output.write(tally);
  await output.end();
}

const facts: Readonly<Record<string, (tally: RunTally) => number>> = {
  sent: ({ sent }) => sent,
  stored: ({ stored }) => stored,
  duplicates: ({ duplicates }) => duplicates,
  refused: ({ refused }) => refused,
  unanswered: ({ unanswered }) => unanswered,
  seconds: ({ seconds }) => rounded(seconds),
  events_per_s: ({ stored, duplicates, refused, seconds }) =>
    Math.round((stored + duplicates + refused) / Math.max(seconds, 0.001)),
  p50_ms: ({ latencies }) => rounded(latencies.percentileMs(50)),
  p90_ms: ({ latencies }) => rounded(latencies.percentileMs(90)),
  p99_ms: ({ latencies }) => rounded(latencies.percentileMs(99)),
  max_ms: ({ latencies }) => rounded(latencies.maxMs),
};

const summaryShape: RecordShape<RunTally> = {
  columns: Object.entries(facts).map(([name, read]) => ({
    name,
    width: Math.max(name.length, 8),
    right: true,
    text: (tally) => String(read(tally)),
  })),
  json: (tally) =>
    JSON.stringify(
      Object.fromEntries(Object.entries(facts).map(([name, read]) => [name, read(tally)])),
    ),
};

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}
