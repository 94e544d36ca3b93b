import { parseTimestamp } from '../../event/timestamp.ts';
import { defineCommand } from '../command.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { addressFlags } from '../hub-address.ts';
import { openPrototype } from '../import/open-prototype.ts';
import { Refusals } from '../import/refusals.ts';
import { dryRunClient, runImport } from '../import/run-import.ts';
import { openSettings } from '../open-settings.ts';
import { openPatientClient, sendingFlags, sendingOf } from '../patient-client.ts';
import { showProgressBar } from '../progress-bar.ts';
import type { SendCounts } from '../send/send-all.ts';
import type { Terminal } from '../terminal.ts';

export const importPrototype = defineCommand({
  name: 'import-prototype',
  summary: "Send the prototype's events to a hub.",
  description:
    "Reads the prototype's collection in the order of its ids, changes nothing in it, and sends every document to a running hub, as `event-hub send` does: the ObjectId becomes the id, an amount is taken by its shortest form (150.75), the timestamp stays, received_at is the time of the import. Ids stay, so it can be repeated: what is there already is a duplicate. Dates of MongoDB are points in time and taken as they are; a text without an offset is refused unless --assume-offset says which was meant. What is refused is counted by reason, with examples. The hub needs a database of its own: the prototype's collection has the name of the hub's.",
  flags: {
    from: {
      kind: 'text',
      value: 'URL',
      help: "The prototype's MongoDB, such as mongodb://localhost/event_hub.",
    },
    collection: { kind: 'text', value: 'NAME', default: 'events', help: 'Where its events are.' },
    'assume-offset': {
      kind: 'text',
      value: 'OFFSET',
      help: 'What times without an offset meant: Z for UTC, or such as +03:00.',
    },
    'timestamp-from-id': {
      kind: 'switch',
      help: 'Documents without a timestamp take the second in which MongoDB made their id.',
    },
    'extra-fields': {
      kind: 'text',
      value: 'WHAT',
      choices: ['refuse', 'metadata'],
      default: 'refuse',
      help: 'Fields that an event has not: refuse the document, or keep them as its metadata.',
    },
    'dry-run': {
      kind: 'switch',
      help: "Send nothing: judge by the hub's settings here, and say what would be refused.",
    },
    refused: {
      kind: 'text',
      value: 'FILE',
      help: 'Write every refused document here, as NDJSON with the reason.',
    },
    ...sendingFlags,
    ...addressFlags,
  },
  usesSettings: true,
  examples: [
    [
      'event-hub import-prototype --from mongodb://localhost/event_hub --assume-offset Z --dry-run --refused refused.ndjson',
      'what would be refused, and why',
    ],
    [
      'event-hub import-prototype --from mongodb://localhost/event_hub --assume-offset Z',
      'to the hub at EVENT_HUB_URL; repeatable',
    ],
  ],
  run: async ({ flags, settingFlags, terminal, interrupted }) => {
    if (flags.from === undefined) {
      throw usageError('say where it is: --from mongodb://localhost/event_hub');
    }
    const rules = {
      assumeOffset: offsetOf(flags['assume-offset']),
      timestampFromId: flags['timestamp-from-id'] ?? false,
      extraFields: flags['extra-fields'] === 'metadata' ? 'metadata' : 'refuse',
    } as const;
    const sending = sendingOf(flags);
    const { settings } = openSettings(settingFlags, terminal);
    const refusals = await Refusals.open(flags.refused);
    const prototype = await openPrototype(flags.from, flags.collection);
    const isDry = flags['dry-run'] ?? false;
    const client = isDry
      ? dryRunClient(settings)
      : await openPatientClient(sending, { terminal, interrupted });
    let done = 0;
    const endProgress = showProgressBar(terminal, () => ({
      done: Math.min(1, done / Math.max(1, prototype.count)),
      count: done,
      text: (perSecond) => `${done} of about ${prototype.count} events, ${perSecond}/s`,
    }));
    try {
      const counts = await runImport({
        documents: prototype.documents(),
        rules,
        eventRules: settings,
        client,
        refusals,
        onResult: () => {
          done += 1;
        },
        signal: interrupted,
      });
      endProgress();
      for (const line of refusals.lines()) terminal.err(line);
      return conclude(counts, { isDry, place: prototype.place, terminal });
    } finally {
      endProgress();
      client.close();
      await prototype.close();
      await refusals.close();
    }
  },
});

/** Throws CommandError for what is no offset. */
function offsetOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (typeof parseTimestamp(`2000-01-01T00:00:00${text}`) === 'number') return text;
  throw usageError(`--assume-offset must be Z or an offset such as +03:00, not '${text}'`);
}

interface Ending {
  readonly isDry: boolean;
  readonly place: string;
  readonly terminal: Terminal;
}

function conclude(counts: SendCounts, { isDry, place, terminal }: Ending): ExitCode {
  const { stored, duplicates, refused, unknown, lost, firstUnsentLine } = counts;
  const total = stored + duplicates + refused + unknown;
  terminal.err(
    isDry
      ? `${total} documents in ${place}: ${stored} would be sent, ${refused} refused; nothing was sent`
      : `${total} documents of ${place}: ${stored} stored, ${duplicates} duplicates, ${refused} refused`,
  );
  const again = 'the same command goes on: what is stored already is a duplicate';
  if (lost !== undefined) {
    throw new CommandError(
      lost.code === 'forbidden' ? exitCode.refused : exitCode.unreachable,
      `${lost.message}\n${again}`,
    );
  }
  if (firstUnsentLine !== undefined) terminal.err(`interrupted: ${again}`);
  const isWhole = refused + unknown === 0 && firstUnsentLine === undefined;
  return isWhole ? exitCode.done : exitCode.refused;
}
