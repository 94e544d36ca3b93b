import { systemClock } from '../../base/clock.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import { retentionFault } from '../../config/retention.ts';
import type { Settings } from '../../config/settings.ts';
import { RemovalTally } from '../../readers/remove-old-events.ts';
import type { EventStore } from '../../store/event-store.ts';
import { auditAct } from '../audit-act.ts';
import { defineCommand } from '../command.ts';
import { type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { durationOf } from '../flag-values.ts';
import { openHubEngines } from '../open-engines.ts';
import { openSettings } from '../open-settings.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import { type OutputFormat, openRecordOutput } from '../output/record-output.ts';
import { applyRemoval } from '../retention/apply-removal.ts';
import { previewRemoval, writePreview } from '../retention/preview-removal.ts';
import { floorShape, floorsOf, removalShape } from '../retention/removal-shape.ts';
import type { Terminal } from '../terminal.ts';

export const retention = defineCommand({
  name: 'retention',
  summary: 'See or do the removal of old events.',
  description:
    'Removes events by the age of their receipt, the oldest first, for good; minute totals stay, and a short record of each event. A hub with EVENT_HUB_RETENTION does it by itself: preview shows beforehand what that would do, apply does it now, beside a running hub or without one, in small transactions.',
  actions: {
    preview: 'What would be removed, by shard; changes nothing.',
    apply: 'Removes it; can be interrupted, and goes on when it is done again.',
    show: 'What has been removed so far.',
  },
  flags: {
    'older-than': {
      kind: 'text',
      value: 'AGE',
      help: 'preview, apply: an age such as 400d, at least as EVENT_HUB_RETENTION may be; that setting when absent.',
    },
    yes: { kind: 'switch', help: 'apply: needed; nothing brings the events back.' },
    output: reportOutputFlag,
  },
  usesSettings: true,
  examples: [
    ['event-hub retention preview --older-than 400d', 'before the setting is made'],
    ['event-hub retention apply --older-than 400d --yes', 'once, beside the running hub'],
    ['event-hub retention show --output json', 'floors, removed events and frozen minutes'],
  ],
  run: async ({ action, flags, settingFlags, terminal, interrupted }) => {
    const { settings } = openSettings(settingFlags, terminal);
    const format = formatOf(flags.output, terminal);
    const isShow = action === 'show';
    const ageMs = isShow ? 0 : ageOf(flags['older-than'], settings);
    if (action === 'apply' && !flags.yes) {
      const place = maskPasswords(settings.store);
      throw usageError(`this removes events in ${place} for good: add --yes`);
    }
    const engines = await openHubEngines(settings);
    try {
      if (isShow) return await show(engines.store, format, terminal);
      const receivedBefore = systemClock.now() - ageMs;
      const preview = await previewRemoval(engines, settings, receivedBefore);
      if (action === 'preview') {
        await writePreview(preview, format, terminal);
        return exitCode.done;
      }
      const tally = new RemovalTally();
      const tell = () => tellRemoved(settings, tally, format, terminal);
      try {
        await applyRemoval(engines, settings, preview, { terminal, signal: interrupted, tally });
      } catch (reason) {
        // What went before it failed is gone all the same.
        if (tally.events > 0) await tell();
        throw reason;
      }
      await tell();
      if (!interrupted.aborted) return exitCode.done;
      terminal.err('interrupted before the end: the same command goes on from there');
      return exitCode.refused;
    } finally {
      await engines.close();
    }
  },
});

function ageOf(flag: string | undefined, settings: Settings): number {
  const { retentionMs } = settings;
  if (flag === undefined) {
    if (retentionMs !== undefined) return retentionMs;
    throw usageError('say how old: --older-than 400d (EVENT_HUB_RETENTION keeps everything)');
  }
  const ageMs = durationOf('older-than', flag);
  const fault = retentionFault(ageMs, settings);
  if (fault !== undefined) throw usageError(`--older-than: ${fault}`);
  return ageMs;
}

async function tellRemoved(
  settings: Settings,
  { removals, events }: RemovalTally,
  format: OutputFormat,
  terminal: Terminal,
): Promise<void> {
  const output = openRecordOutput(format, removalShape, terminal);
  for (const removal of removals) await output.write(removal);
  await output.end();
  if (events > 0) auditAct(settings, 'retention_applied');
  terminal.err(`${events} events were removed`);
}

async function show(
  store: EventStore,
  format: OutputFormat,
  terminal: Terminal,
): Promise<ExitCode> {
  const retained = await store.retained();
  const { removedEvents, frozenMinutes } = retained;
  const floors = floorsOf(retained);
  if (format === 'json' || format === 'ndjson') {
    const whole = { removed_events: removedEvents, frozen_minutes: frozenMinutes, floors };
    await terminal.out(`${JSON.stringify(whole)}\n`);
    return exitCode.done;
  }
  if (floors.length > 0 || format === 'csv') {
    const output = openRecordOutput(format, floorShape, terminal);
    for (const floor of floors) await output.write(floor);
    await output.end();
  }
  terminal.err(`${removedEvents} events were removed so far, ${frozenMinutes} minutes are frozen`);
  return exitCode.done;
}
