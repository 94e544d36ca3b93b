import { resolve } from 'node:path';
import { HubError } from '../../base/errors.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import type { EventStore } from '../../store/event-store.ts';
import { defineCommand } from '../command.ts';
import { countOf, totalsOf } from '../copy/totals.ts';
import { CommandError, exitCode, usageError } from '../exit-code.ts';
import { ExportFile, type ExportPlace } from '../export/export-file.ts';
import { runExport } from '../export/run-export.ts';
import { filterFlags, filterRequest } from '../filter-flags.ts';
import { openHubStore, readsOf } from '../open-engines.ts';
import { openSettings } from '../open-settings.ts';
import { showProgressBar } from '../progress-bar.ts';

export const exportEvents = defineCommand({
  name: 'export',
  summary: 'Write stored events to a file; goes on after a break.',
  description:
    'Reads the store by the settings of the hub, whether it runs or not, and writes each event once, oldest first in log order, as `event-hub events` shows it. The file gets its name when it is whole. Broken off, the same command goes on where it was, without loss or repeat: how far it came is in FILE.unfinished.json. What comes in meanwhile may be in it or not. `event-hub import` takes such a file.',
  flags: {
    to: { kind: 'text', value: 'FILE', help: 'The file; its folder must be there.' },
    format: {
      kind: 'text',
      value: 'FORMAT',
      choices: ['ndjson', 'csv'],
      help: 'What is written: csv where the file is named so, else ndjson.',
    },
    ...filterFlags,
    from: { kind: 'text', value: 'TIME', help: 'Timestamps from this one on.' },
    before: { kind: 'text', value: 'TIME', help: 'Timestamps before this one.' },
    force: { kind: 'switch', help: 'In place of a file that has this name.' },
  },
  usesSettings: true,
  examples: [
    ['event-hub export --to events.ndjson', 'everything'],
    [
      'event-hub export --to june.csv --from 2026-06-01T00:00:00Z --before 2026-07-01T00:00:00Z --event-type purchase',
      'the purchases of a month, as CSV',
    ],
  ],
  run: async ({ flags, settingFlags, terminal, interrupted }) => {
    const { to, force = false } = flags;
    if (to === undefined) throw usageError('say where to: --to FILE');
    const format = formatOf(flags.format, to);
    const { settings } = openSettings(settingFlags, terminal);
    const store = await openHubStore(settings);
    const request = { ...filterRequest(flags), from: flags.from, to: flags.before };
    let place: ExportPlace = { events: 0 };
    let total: number | undefined;
    const endProgress = showProgressBar(terminal, () => ({
      done: total === undefined || total === 0 ? undefined : Math.min(1, place.events / total),
      count: place.events,
      text: (perSecond) => `${place.events} events, ${perSecond}/s`,
    }));
    try {
      const reads = readsOf(store, settings);
      // What the hub refuses is refused before there is a file.
      await reads.find({ ...request, limit: 1 });
      const what = JSON.stringify({ store: maskPasswords(settings.store), format, ...request });
      const file = ExportFile.open(resolve(to), what, force);
      place = file.place;
      if (place.events > 0) terminal.err(`going on after ${place.events} events`);
      total = isEverything(request) ? await storedCount(store) : undefined;
      const onPlace = (reached: ExportPlace) => {
        place = reached;
      };
      const whole = await runExport({ reads, request, format, file, onPlace, signal: interrupted });
      endProgress();
      if (!whole) {
        terminal.err(`interrupted after ${place.events} events: ${again}`);
        return exitCode.refused;
      }
      file.finish(force);
      terminal.err(`${place.events === 1 ? '1 event' : `${place.events} events`} in ${to}`);
      return exitCode.done;
    } catch (reason) {
      throw broken(reason);
    } finally {
      endProgress();
      await store.close();
    }
  },
});

const again = 'the same command goes on from there';

function formatOf(flag: string | undefined, file: string): 'ndjson' | 'csv' {
  return (flag ?? (file.endsWith('.csv') ? 'csv' : 'ndjson')) === 'csv' ? 'csv' : 'ndjson';
}

function isEverything(request: Readonly<Record<string, unknown>>): boolean {
  return Object.values(request).every(
    (value) => value === undefined || (Array.isArray(value) && value.length === 0),
  );
}

async function storedCount(store: EventStore): Promise<number> {
  return countOf(await totalsOf(store));
}

function broken(reason: unknown): unknown {
  const { code, message } = HubError.from(reason);
  if (code !== 'unavailable') return reason;
  return new CommandError(exitCode.unreachable, `${message}\n${again}`);
}
