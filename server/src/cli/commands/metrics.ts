import { formatInstant } from '../../base/clock.ts';
import { formatAmount } from '../../event/money.ts';
import type { Totals, TypeTotals } from '../../hub.ts';
import { encodeTotals } from '../../protocols/rest/encode.ts';
import type { CountDifference, EventStore } from '../../store/event-store.ts';
import { auditAct } from '../audit-act.ts';
import { defineCommand } from '../command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { filterFlags, filterRequest } from '../filter-flags.ts';
import { openHubStore, readsOf } from '../open-engines.ts';
import { openSettings } from '../open-settings.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import { type OutputFormat, openRecordOutput, type RecordShape } from '../output/record-output.ts';
import type { Terminal } from '../terminal.ts';

export const metrics = defineCommand({
  name: 'metrics',
  summary: 'Show, verify or rebuild the totals.',
  description:
    'Reads the store by the settings of the hub, whether it runs or not. The totals are those of GET /aggregates.',
  actions: {
    show: 'Exact totals of a window.',
    verify:
      'Compares the counts with the events; exit code 1 and a row for each that differs. Minutes of which retention removed an event are passed over.',
    rebuild: 'Replaces the counts by a recomputation from the events, but those of such minutes.',
  },
  flags: {
    minutes: { kind: 'text', value: 'N', help: 'show: the last so many minutes; 1 when absent.' },
    from: { kind: 'text', value: 'TIME', help: 'show: timestamps from this one on.' },
    to: { kind: 'text', value: 'TIME', help: 'show: timestamps before this one.' },
    ...filterFlags,
    output: reportOutputFlag,
  },
  usesSettings: true,
  examples: [
    ['event-hub metrics show --minutes 5', 'the last five minutes'],
    [
      'event-hub metrics show --from 2026-06-01T00:00:00Z --output json',
      'as GET /aggregates says it',
    ],
    ['event-hub metrics verify', 'whether the counts equal the events'],
  ],
  run: async ({ action, flags, settingFlags, terminal }) => {
    const { settings } = openSettings(settingFlags, terminal);
    const store = await openHubStore(settings);
    const format = formatOf(flags.output, terminal);
    try {
      if (action === 'verify') return await verify(store, format, terminal);
      if (action === 'rebuild') {
        const exit = await rebuild(store, terminal);
        auditAct(settings, 'counts_rebuilt');
        return exit;
      }
      const { minutes, from, to } = flags;
      const request = { ...filterRequest(flags), minutes, from, to };
      await writeTotals(await readsOf(store, settings).aggregate(request), format, terminal);
      return exitCode.done;
    } finally {
      await store.close();
    }
  },
});

async function verify(
  store: EventStore,
  format: OutputFormat,
  terminal: Terminal,
): Promise<ExitCode> {
  const differences = await store.verify();
  await tellFrozen(store, terminal);
  if (differences.length === 0) {
    terminal.err('the counts equal a recomputation from the events');
    return exitCode.done;
  }
  const output = openRecordOutput(format, differenceShape, terminal);
  for (const difference of differences) await output.write(difference);
  await output.end();
  terminal.err(`${differences.length} counts differ: event-hub metrics rebuild replaces them`);
  return exitCode.refused;
}

async function rebuild(store: EventStore, terminal: Terminal): Promise<ExitCode> {
  const changed = await store.rebuild();
  await tellFrozen(store, terminal);
  terminal.err(
    changed === 0 ? 'the counts were right: nothing changed' : `${changed} counts were replaced`,
  );
  return exitCode.done;
}

async function tellFrozen(store: EventStore, terminal: Terminal): Promise<void> {
  const { frozenMinutes } = await store.retained();
  if (frozenMinutes === 0) return;
  terminal.err(
    `${frozenMinutes} frozen minutes were passed over: retention removed events of theirs, and their totals stay as they are`,
  );
}

const differenceShape: RecordShape<CountDifference> = {
  columns: [
    { name: 'minute', width: 24, text: ({ minute }) => formatInstant(minute) },
    { name: 'event_type', width: 12, text: ({ eventType }) => eventType },
    { name: 'currency', width: 8, text: ({ currency }) => currency },
    {
      name: 'counted_events',
      width: 14,
      right: true,
      text: ({ counted }) => String(counted.eventCount),
    },
    {
      name: 'counted_total',
      width: 18,
      right: true,
      text: ({ counted }) => formatAmount(counted.total),
    },
    {
      name: 'events',
      width: 10,
      right: true,
      text: ({ recomputed }) => String(recomputed.eventCount),
    },
    {
      name: 'total',
      width: 18,
      right: true,
      text: ({ recomputed }) => formatAmount(recomputed.total),
    },
  ],
  json: (difference) =>
    JSON.stringify(
      Object.fromEntries(differenceShape.columns.map(({ name, text }) => [name, text(difference)])),
    ),
};

async function writeTotals(
  totals: Totals,
  format: OutputFormat,
  terminal: Terminal,
): Promise<void> {
  if (format === 'json' || format === 'ndjson') {
    await terminal.out(`${encodeTotals(totals)}\n`);
    return;
  }
  if (format === 'table') await terminal.out(summaryOf(totals, terminal));
  const output = openRecordOutput(format, typeShape, terminal);
  for (const each of totals.byType) await output.write(each);
  await output.end();
}

/** Above the table by type: the window, and net totals of each currency. */
function summaryOf({ from, to, eventCount, byCurrency, asOf }: Totals, terminal: Terminal): string {
  const lines = byCurrency.map(
    ({ currency, total, net }) =>
      `${currency}  total ${formatAmount(total)}  net ${terminal.style('bold', formatAmount(net))}`,
  );
  const newest =
    asOf === undefined
      ? 'nothing was ever counted'
      : `newest counted ${formatInstant(asOf.receivedAt)}`;
  return `${[`${formatInstant(from)} to ${formatInstant(to)}: ${eventCount} events; ${newest}`, ...lines].join('\n')}\n\n`;
}

const typeShape: RecordShape<TypeTotals> = {
  columns: [
    { name: 'event_type', width: 16, text: ({ eventType }) => eventType },
    { name: 'sign', width: 4, text: ({ sign }) => sign },
    { name: 'currency', width: 8, text: ({ currency }) => currency },
    { name: 'event_count', width: 12, right: true, text: ({ eventCount }) => String(eventCount) },
    { name: 'total_amount', width: 22, right: true, text: ({ total }) => formatAmount(total) },
  ],
  json: ({ eventType, sign, currency, eventCount, total }) =>
    JSON.stringify({
      event_type: eventType,
      sign,
      currency,
      event_count: eventCount,
      total_amount: formatAmount(total),
    }),
};
