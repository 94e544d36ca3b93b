import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import type { Settings } from '../../config/settings.ts';
import { defineCommand } from '../command.ts';
import { sourceUrls, targetUrls } from '../copy/copy-urls.ts';
import { openSource } from '../copy/open-source.ts';
import { openTarget } from '../copy/open-target.ts';
import { type CopyResult, type CopyState, runCopy } from '../copy/run-copy.ts';
import type { Source } from '../copy/source.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { openSettings } from '../open-settings.ts';
import { showProgressBar } from '../progress-bar.ts';
import type { Terminal } from '../terminal.ts';

export const copy = defineCommand({
  name: 'copy',
  summary: "Move a hub's data to other engines.",
  description:
    "Copies every event from one hub's engines to another's through the target's log, in the source's order, with id, timestamp and received_at unchanged; positions are the target's own. Conflicts and unreadable entries go along. At the end it compares counts and sums by type and currency over everything: exit code 1 and a line for each that differs. Run again after a break it goes on; ids that the target knows are never counted twice. The source must be stopped, unless --follow: a SQLite file is held meanwhile, other engines are refused while a hub runs on them or their log grows.",
  flags: {
    from: {
      kind: 'text',
      value: 'URL',
      help: "The source: its log, or its store. A SQLite file is both. A store alone is copied in its listing's order.",
    },
    'from-store': {
      kind: 'text',
      value: 'URL',
      help: "The source's store, where --from is a log that is trimmed: what the log has removed comes from it. Better always: without it there are no conflicts, no event types and no counts to take over.",
    },
    to: { kind: 'text', value: 'URL', help: "The target's log; made where there is none." },
    'to-store': {
      kind: 'text',
      value: 'URL',
      help: "The target's store; with SQLite the same file.",
    },
    follow: {
      kind: 'switch',
      help: 'Copy beside a running hub and go on until interrupted (Ctrl-C), then compare. Stop the senders first for a comparison that is exact.',
    },
  },
  usesSettings: true,
  examples: [
    [
      'event-hub copy --from sqlite:./data/event-hub.db --to redis://localhost:6379 --to-store mongodb://localhost/event_hub',
      'from the embedded mode to the standard one',
    ],
    [
      'event-hub copy --from redis://localhost:6379 --from-store mongodb://localhost/event_hub --to sqlite:./data/back.db',
      'and back',
    ],
    [
      'event-hub copy --from sqlite:./data/event-hub.db --to sqlite:./data/copy.db --follow',
      'beside a running hub, until Ctrl-C',
    ],
  ],
  run: async ({ flags, settingFlags, terminal, interrupted }) => {
    const { from, to, follow = false } = flags;
    if (from === undefined || to === undefined) {
      throw usageError('say both: --from URL and --to URL\nsee event-hub copy --help');
    }
    const source = sourceUrls(from, flags['from-store']);
    const target = targetUrls(to, flags['to-store']);
    if (source.log === target.log || source.store === target.store) {
      throw usageError('the source and the target are one: give the target a place of its own');
    }
    const { settings } = openSettings(settingFlags, terminal);
    const opened = await openBoth({ source, target, follow, settings });
    const state = newState();
    const endProgress = showProgressBar(terminal, () => progressOf(state));
    try {
      const result = await runCopy(
        {
          ...opened,
          follow,
          clock: systemClock,
          signal: interrupted,
          say: (line) => terminal.err(line),
        },
        state,
      );
      endProgress();
      return conclude(result, state, terminal, maskPasswords(target.log));
    } catch (reason) {
      throw interrupted.aborted ? stopped(reason) : failed(reason);
    } finally {
      endProgress();
      await Promise.all([opened.source.close(), opened.target.close()]);
    }
  },
});

interface Opening {
  readonly source: Parameters<typeof openSource>[0]['urls'];
  readonly target: { readonly log: string; readonly store: string };
  readonly follow: boolean;
  readonly settings: Settings;
}

/** The source first: without one nothing is made. What cannot be opened is a matter of the URLs. */
async function openBoth({ source, target, follow, settings }: Opening) {
  let opened: Source | undefined;
  try {
    opened = await openSource({ urls: source, settings, alone: !follow });
    return { source: opened, target: await openTarget({ ...settings, ...target }) };
  } catch (reason) {
    await opened?.close();
    const { code, message } = HubError.from(reason);
    if (code === 'internal') throw reason;
    throw new CommandError(code === 'unavailable' ? exitCode.unreachable : exitCode.usage, message);
  }
}

function newState(): CopyState {
  return { added: 0, known: 0, conflicts: 0, unreadable: 0, total: undefined, phase: 'opening' };
}

function progressOf({ added, known, conflicts, total, phase }: CopyState) {
  const count = added + known + conflicts;
  return {
    done: total === undefined || total === 0 ? undefined : Math.min(1, count / total),
    count,
    text: (perSecond: number) => `${phase}: ${count} events, ${perSecond}/s, ${known} known before`,
  };
}

function conclude(
  { interrupted, differences }: CopyResult,
  { added, known, conflicts }: CopyState,
  terminal: Terminal,
  target: string,
): ExitCode {
  const refused = conflicts === 0 ? '' : `, ${conflicts} with an id that it has otherwise`;
  terminal.err(`${added} events copied to ${target}, ${known} known there before${refused}`);
  if (interrupted) {
    terminal.err('interrupted before the end: the same command goes on from there');
    return exitCode.refused;
  }
  if (differences.length === 0) {
    terminal.err('counts and sums are equal in the source and the target');
    return exitCode.done;
  }
  for (const line of differences) terminal.err(line);
  terminal.err(
    'the target is not equal to the source: it had other events before, or the source still took some',
  );
  return exitCode.refused;
}

const again = 'what was copied stays: the same command goes on from there';

function stopped(reason: unknown): CommandError {
  return new CommandError(
    exitCode.refused,
    `interrupted (${HubError.from(reason).message}): ${again}`,
  );
}

function failed(reason: unknown): unknown {
  const { code, message } = HubError.from(reason);
  const isEngine = code === 'unavailable' || code === 'overloaded';
  return isEngine ? new CommandError(exitCode.unreachable, `${message}\n${again}`) : reason;
}
