import { statSync } from 'node:fs';
import { defineCommand } from '../command.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { addressFlags } from '../hub-address.ts';
import { importFile } from '../import/import-file.ts';
import { Refusals } from '../import/refusals.ts';
import { openPatientClient, sendingFlags, sendingOf } from '../patient-client.ts';
import { showProgressBar } from '../progress-bar.ts';
import { openFile } from '../send/open-file.ts';
import { readCsv } from '../send/read-csv.ts';
import { readNdjson } from '../send/read-ndjson.ts';
import type { SendCounts } from '../send/send-all.ts';
import type { Terminal } from '../terminal.ts';

export const importEvents = defineCommand({
  name: 'import',
  summary: 'Send the events of such a file to a hub; can be repeated.',
  description:
    "Sends NDJSON or CSV, such as `event-hub export` writes, to a running hub as `event-hub send` does, with a summary in the place of a result for each event. Every event needs its id: by it an import that was broken off is repeated, and what is stored already is a duplicate. Id, amount, currency, timestamp and metadata stay; received_at is the time of the import and positions are the new hub's own (`event-hub copy` keeps received_at). What is refused is counted by reason, and the rest goes on.",
  flags: {
    from: { kind: 'text', value: 'FILE', help: 'What is read.' },
    format: {
      kind: 'text',
      value: 'FORMAT',
      choices: ['ndjson', 'csv'],
      help: 'What is read: csv where the file is named so, else ndjson.',
    },
    refused: {
      kind: 'text',
      value: 'FILE',
      help: 'Write every refused event here, as NDJSON with its line and the reason.',
    },
    ...sendingFlags,
    ...addressFlags,
  },
  examples: [
    ['event-hub import --from events.ndjson --refused refused.ndjson', 'repeatable'],
    ['event-hub import --from june.csv --protocol grpc', 'CSV, over gRPC'],
  ],
  run: async ({ flags, terminal, interrupted }) => {
    const { from } = flags;
    if (from === undefined) throw usageError('say what to import: --from FILE');
    const sending = sendingOf(flags);
    const stream = await openFile(from, '--from');
    const size = statSync(from).size;
    let bytes = 0;
    const chunks = counted(stream, (length) => {
      bytes += length;
    });
    const isCsv = (flags.format ?? (from.endsWith('.csv') ? 'csv' : 'ndjson')) === 'csv';
    const refusals = await Refusals.open(flags.refused);
    const client = await openPatientClient(sending, { terminal, interrupted });
    let count = 0;
    const endProgress = showProgressBar(terminal, () => ({
      done: Math.min(1, bytes / Math.max(1, size)),
      count,
      text: (perSecond) => `${count} events, ${perSecond}/s`,
    }));
    try {
      const counts = await importFile({
        records: isCsv ? readCsv(chunks) : readNdjson(chunks),
        client,
        refusals,
        onResult: () => {
          count += 1;
        },
        signal: interrupted,
      });
      endProgress();
      for (const line of refusals.lines()) terminal.err(line);
      return conclude(counts, { from, interrupted: interrupted.aborted, terminal });
    } finally {
      endProgress();
      stream.destroy();
      client.close();
      await refusals.close();
    }
  },
});

async function* counted(
  chunks: AsyncIterable<Buffer>,
  onChunk: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    onChunk(chunk.length);
    yield chunk;
  }
}

interface Ending {
  readonly from: string;
  readonly interrupted: boolean;
  readonly terminal: Terminal;
}

function conclude(counts: SendCounts, { from, interrupted, terminal }: Ending): ExitCode {
  const { stored, duplicates, refused, unknown, lost } = counts;
  const total = stored + duplicates + refused + unknown;
  const unclear = unknown === 0 ? '' : `, ${unknown} without an answer`;
  terminal.err(
    `${total === 1 ? '1 event' : `${total} events`} of ${from}: ${stored} stored, ${duplicates} duplicates, ${refused} refused${unclear}`,
  );
  const again = 'the same command goes on: what is stored already is a duplicate';
  if (lost !== undefined) {
    throw new CommandError(
      lost.code === 'forbidden' ? exitCode.refused : exitCode.unreachable,
      `${lost.message}\n${again}`,
    );
  }
  if (interrupted) terminal.err(`interrupted: ${again}`);
  return refused + unknown === 0 && !interrupted ? exitCode.done : exitCode.refused;
}
