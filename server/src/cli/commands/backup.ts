import { describeContent, openBackups, withProgress } from '../backup/open-backups.ts';
import { defineCommand } from '../command.ts';
import { exitCode, usageError } from '../exit-code.ts';
import { openSettings } from '../open-settings.ts';

export const backup = defineCommand({
  name: 'backup',
  summary: "Copy the embedded mode's file, also while the hub runs.",
  description:
    'Copies the one file of the embedded mode as it is at one moment: every event that was answered before is in it, with keys, counts and all else. The copy is read whole and compared (pages and indexes, number of events, identity, newest position) before it gets its name, so that a file of that name is a whole backup. It is one plain file; `event-hub restore` takes it. It has the hashes of the API keys: keep it as the original is kept.',
  flags: {
    to: { kind: 'text', value: 'FILE', help: 'The copy; its folder must be there.' },
    force: {
      kind: 'switch',
      help: "In place of a file that has this name; never of a part of a hub's file.",
    },
  },
  usesSettings: true,
  examples: [
    ['event-hub backup --to /backups/hub.db', 'beside the running hub or without it'],
    ['event-hub backup --to /backups/hub.db --force', 'in place of the one before'],
  ],
  run: async ({ flags, settingFlags, terminal, interrupted }) => {
    const { to, force = false } = flags;
    if (to === undefined) throw usageError('say where to: --to FILE');
    const { settings } = openSettings(settingFlags, terminal);
    const backups = await openBackups(settings);
    const content = await withProgress(terminal, (onProgress) =>
      backups.backUp(settings.log, { to, replace: force, onProgress, signal: interrupted }),
    );
    terminal.err(`${to} is a whole copy of the log ${content.logId}: ${describeContent(content)}`);
    return exitCode.done;
  },
});
