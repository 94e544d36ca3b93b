import { randomUUID } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Settings } from '../../config/settings.ts';
import { type Engines, isEmbedded } from '../../main/engines.ts';
import { type RemovalTally, removeOldEvents } from '../../readers/remove-old-events.ts';
import { CommandError, exitCode } from '../exit-code.ts';
import { showProgressBar } from '../progress-bar.ts';
import type { Terminal } from '../terminal.ts';
import { eventsOf, type Preview } from './preview-removal.ts';

export interface RemovalRun {
  readonly terminal: Terminal;
  /** Ends it after the part that is being removed. */
  readonly signal: AbortSignal;
  /** Has what is gone when this settles, however it does. */
  readonly tally: RemovalTally;
}

/** Removes what the preview named, beside a running hub or without one. */
export async function applyRemoval(
  engines: Engines,
  settings: Settings,
  preview: Preview,
  { terminal, signal, tally }: RemovalRun,
): Promise<void> {
  const total = eventsOf(preview);
  const endProgress = showProgressBar(terminal, () => ({
    done: total === 0 ? undefined : Math.min(1, tally.events / total),
    count: tally.events,
    text: (perSecond) => `removing: ${tally.events} of ${total} events, ${perSecond}/s`,
  }));
  const deps = { ...engines, clock: systemClock, isEmbedded: isEmbedded(settings) };
  const { receivedBefore } = preview;
  const onRemoved = tally.add.bind(tally);
  const options = { receivedBefore, holder: randomUUID(), signal, onRemoved };
  try {
    if (!(await inTurn(() => removeOldEvents(deps, options), signal))) throw busy();
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    throw code === 'conflict' ? new CommandError(exitCode.refused, message) : reason;
  } finally {
    endProgress();
  }
}

/** A hub that removes has the lease for a moment; one that was killed, until that runs out. */
async function inTurn(remove: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  const deadlineMs = systemClock.monotonicMs() + limits.leaseTtlMs + limits.leaseRenewMs;
  while (!(await remove())) {
    if (signal.aborted || systemClock.monotonicMs() >= deadlineMs) return signal.aborted;
    await systemClock.sleep(limits.retryFirstMs, signal).catch(() => undefined);
  }
  return true;
}

function busy(): CommandError {
  return new CommandError(
    exitCode.refused,
    'another process is removing what is too old by its own setting: wait until it has, or stop the processes with the role readers first',
  );
}
