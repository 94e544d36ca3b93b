import { limits } from '../../base/limits.ts';
import type { UnreadableEntry } from '../../log/event-log.ts';
import type { EventStore } from '../../store/event-store.ts';
import { defineCommand } from '../command.ts';
import { eventPages } from '../event-pages.ts';
import { exitCode, usageError } from '../exit-code.ts';
import { filterFlags, filterRequest } from '../filter-flags.ts';
import { countOf } from '../flag-values.ts';
import { openHubStore, readsOf } from '../open-engines.ts';
import { openSettings } from '../open-settings.ts';
import { eventShape, wireEventOf } from '../output/event-shape.ts';
import { formatOf, outputFlag } from '../output/output-flag.ts';
import { type OutputFormat, openRecordOutput, type RecordShape } from '../output/record-output.ts';
import type { Terminal } from '../terminal.ts';

export const events = defineCommand({
  name: 'events',
  summary: 'List, find and export stored events.',
  description:
    'Reads the store by the settings of the hub, whether it runs or not. Newest first, unless --order says otherwise.',
  flags: {
    id: { kind: 'text', value: 'ID', help: 'The one event with this id.' },
    ...filterFlags,
    from: { kind: 'text', value: 'TIME', help: 'Timestamps from this one on.' },
    to: { kind: 'text', value: 'TIME', help: 'Timestamps before this one.' },
    order: {
      kind: 'text',
      value: 'ORDER',
      choices: ['desc', 'asc'],
      default: 'desc',
      help: 'Newest or oldest first, in log order.',
    },
    limit: {
      kind: 'text',
      value: 'N',
      default: String(limits.pageEventsDefault),
      help: 'At the most so many.',
    },
    all: { kind: 'switch', help: 'All of them, whatever --limit says.' },
    conflicts: { kind: 'switch', help: 'Entries that came with a known id and other content.' },
    unreadable: { kind: 'switch', help: 'Entries of the log that could not be read, and why.' },
    output: outputFlag,
  },
  usesSettings: true,
  examples: [
    ['event-hub events --limit 10', 'the newest ten'],
    ['event-hub events --all --order asc --output csv > events.csv', 'an export'],
    ['event-hub events --user-id u1 --from 2026-06-01T00:00:00Z', 'what one user did since June'],
  ],
  run: async ({ flags, settingFlags, terminal, interrupted }) => {
    if (flags.conflicts && flags.unreadable) {
      throw usageError('--conflicts and --unreadable are two lists: ask for one');
    }
    const limit = flags.all ? Number.MAX_SAFE_INTEGER : countOf('limit', flags.limit, 1);
    const { settings } = openSettings(settingFlags, terminal);
    const store = await openHubStore(settings);
    const format = formatOf(flags.output, terminal);
    try {
      if (flags.unreadable) {
        await writeUnreadable(store, limit, format, terminal);
        return exitCode.done;
      }
      const reads = readsOf(store, settings);
      const request = {
        ...filterRequest(flags),
        from: flags.from,
        to: flags.to,
        order: flags.order,
      };
      const found = flags.conflicts
        ? [await store.conflicts(limit)]
        : flags.id === undefined
          ? eventPages(reads, request, limit)
          : [[await reads.get(flags.id)]];
      const output = openRecordOutput(format, eventShape, terminal);
      for await (const page of found) {
        for (const stored of page) await output.write(wireEventOf(stored));
        if (interrupted.aborted) break;
      }
      await output.end();
      return interrupted.aborted ? exitCode.refused : exitCode.done;
    } finally {
      await store.close();
    }
  },
});

const unreadableShape: RecordShape<UnreadableEntry> = {
  columns: [
    { name: 'position', width: 24, text: ({ position }) => position },
    { name: 'reason', width: 40, text: ({ reason }) => reason },
    { name: 'raw', width: 0, text: ({ raw }) => raw },
  ],
  json: ({ shard, position, reason, raw }) => JSON.stringify({ shard, position, reason, raw }),
};

async function writeUnreadable(
  store: EventStore,
  limit: number,
  format: OutputFormat,
  terminal: Terminal,
): Promise<void> {
  const output = openRecordOutput(format, unreadableShape, terminal);
  for (const entry of await store.unreadableEntries(limit)) await output.write(entry);
  await output.end();
}
