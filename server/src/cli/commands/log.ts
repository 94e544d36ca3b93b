import { randomUUID } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import { type Engines, isEmbedded } from '../../main/engines.ts';
import { archiveLease } from '../../readers/archive.ts';
import type { EventStore, Lease } from '../../store/event-store.ts';
import { auditAct } from '../audit-act.ts';
import { defineCommand } from '../command.ts';
import { CommandError, exitCode, usageError } from '../exit-code.ts';
import { openHubEngines } from '../open-engines.ts';
import { openSettings } from '../open-settings.ts';

export const log = defineCommand({
  name: 'log',
  summary: 'Take over a log that was restored, emptied or replaced.',
  description:
    'The hub reads on only where its store stands in the log. When the log is not that one any more, nothing is appended and nothing is read until the right one is back, or this one is adopted: then it is read from its start, and what the store knows already counts nothing.',
  actions: { adopt: 'Reads the log that is there now from its start.' },
  flags: {
    yes: { kind: 'switch', help: 'Needed: what only the lost log held stays lost.' },
  },
  usesSettings: true,
  examples: [['event-hub log adopt --yes', 'after a restored backup; then restart the hub']],
  run: async ({ flags, settingFlags, terminal, interrupted }) => {
    const { settings } = openSettings(settingFlags, terminal);
    if (isEmbedded(settings)) {
      throw usageError('with SQLite the log and the store are one file: there is nothing to adopt');
    }
    const place = maskPasswords(settings.log);
    if (!flags.yes) throw usageError(`this reads ${place} from its start: add --yes`);
    const engines = await openHubEngines(settings);
    try {
      for (const shard of await engines.log.shards()) await adopt(engines, shard, interrupted);
    } finally {
      await engines.close();
    }
    auditAct(settings, 'log_adopted');
    terminal.err(
      `${place} is read from its start; restart every hub process that still runs on it`,
    );
    return exitCode.done;
  },
});

async function adopt({ log, store }: Engines, shard: string, signal: AbortSignal): Promise<void> {
  const lease = await takeLease(store, shard, signal);
  try {
    await store.resetPosition(shard, await log.trimmedTo(shard));
  } finally {
    await store.releaseLease(lease);
  }
}

/** While it is held nobody reads; a reader that was stopped may have it for as long as it lasts. */
async function takeLease(store: EventStore, shard: string, signal: AbortSignal): Promise<Lease> {
  const holder = randomUUID();
  const deadlineMs = systemClock.monotonicMs() + limits.leaseTtlMs + limits.leaseRenewMs;
  while (systemClock.monotonicMs() < deadlineMs && !signal.aborted) {
    const lease = await store.acquireLease(archiveLease(shard), holder, limits.leaseTtlMs);
    if (lease !== undefined) return lease;
    await systemClock.sleep(limits.retryFirstMs, signal).catch(() => undefined);
  }
  throw new CommandError(
    exitCode.refused,
    'a hub reads this log and gets on with it: there is nothing to adopt (to read it anew all the same, stop the processes with the role readers first)',
  );
}
