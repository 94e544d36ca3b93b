import { defineCommand } from '../command.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { addressFlags } from '../hub-address.ts';
import { formatOf, outputFlag } from '../output/output-flag.ts';
import { openRecordOutput } from '../output/record-output.ts';
import { openPatientClient, sendingFlags, sendingOf } from '../patient-client.ts';
import { eventFlags, eventFromFlags } from '../send/event-from-flags.ts';
import { endingWith, openFile } from '../send/open-file.ts';
import { readCsv } from '../send/read-csv.ts';
import { type InputRecord, readNdjson } from '../send/read-ndjson.ts';
import { resultShape } from '../send/result-shape.ts';
import { type SendCounts, sendAll } from '../send/send-all.ts';
import type { Terminal } from '../terminal.ts';

export const send = defineCommand({
  name: 'send',
  summary: 'Send events from flags, a file or stdin.',
  description:
    'Sends one event from flags, or NDJSON or CSV from --file or stdin, and writes one result per event. What a hub sets itself (received_at, position) is dropped, so that exported events can be sent again: those already known are answered `duplicate`. What fails for a while is sent again with the same ids.',
  flags: {
    ...eventFlags,
    file: { kind: 'text', value: 'FILE', help: 'Read events from here; - is stdin.' },
    format: {
      kind: 'text',
      value: 'FORMAT',
      choices: ['ndjson', 'csv'],
      help: 'What is read: csv where the file is named so, else ndjson.',
    },
    ...sendingFlags,
    output: outputFlag,
    ...addressFlags,
  },
  examples: [
    ['event-hub send --user-id u1 --event-type purchase --amount 150.75', 'one event'],
    ['event-hub send --file events.csv --protocol grpc', 'a file, over gRPC'],
    ['event-hub events --all --output ndjson | event-hub send', 'answers duplicate for each line'],
  ],
  run: async ({ flags, terminal, interrupted }) => {
    const sending = sendingOf(flags);
    const { protocol, address } = sending;
    const records = await openInput(flags, interrupted);
    const client = await openPatientClient(sending, { terminal, interrupted });
    const output = openRecordOutput(formatOf(flags.output, terminal), resultShape, terminal);
    try {
      const counts = await sendAll(records, client, output, interrupted);
      return conclude(counts, terminal, protocol === 'grpc' ? address.grpcUrl : address.url);
    } finally {
      await output.end();
      client.close();
    }
  },
});

type InputFlags = Readonly<Record<'file' | 'format', string | undefined>> &
  Parameters<typeof eventFromFlags>[0];

async function openInput(
  flags: InputFlags,
  interrupted: AbortSignal,
): Promise<AsyncIterable<InputRecord>> {
  const event = eventFromFlags(flags);
  if (event !== undefined) {
    if (flags.file !== undefined) throw usageError('--file goes without the flags of one event');
    return oneRecord(event);
  }
  const fromFile = flags.file !== undefined && flags.file !== '-';
  if (!fromFile && process.stdin.isTTY) {
    throw usageError(
      'nothing to send: give the fields as flags, --file, or events on stdin\nsee event-hub send --help',
    );
  }
  const source = fromFile ? await openFile(String(flags.file)) : process.stdin;
  const bytes = endingWith(interrupted, source);
  const isCsv = (flags.format ?? (flags.file?.endsWith('.csv') ? 'csv' : 'ndjson')) === 'csv';
  return isCsv ? readCsv(bytes) : readNdjson(bytes);
}

async function* oneRecord(text: string): AsyncGenerator<InputRecord> {
  yield { line: 1, text };
}

function conclude(counts: SendCounts, terminal: Terminal, address: string): ExitCode {
  const { stored, duplicates, refused, unknown, lost, firstUnsentLine } = counts;
  const total = stored + duplicates + refused + unknown;
  const unclear = unknown === 0 ? '' : `, ${unknown} without an answer`;
  terminal.err(
    `${total === 1 ? '1 event' : `${total} events`}: ${stored} stored, ${duplicates} duplicates, ${refused} refused${unclear}`,
  );
  if (lost !== undefined) {
    const hint = lost.code === 'unreachable' ? `: is a hub running at ${address}?` : '';
    throw new CommandError(
      lost.code === 'forbidden' ? exitCode.refused : exitCode.unreachable,
      `${lost.message}${hint}\nwhat begins at line ${firstUnsentLine} is not known to be stored: sending it again with the same ids is safe`,
    );
  }
  if (firstUnsentLine !== undefined) {
    terminal.err(`interrupted: nothing was sent from line ${firstUnsentLine} on`);
    return exitCode.refused;
  }
  return refused + unknown === 0 ? exitCode.done : exitCode.refused;
}
