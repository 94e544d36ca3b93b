import { HubError } from '../../base/errors.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import { eraseEngines } from '../../main/engines.ts';
import { auditAct } from '../audit-act.ts';
import { defineCommand } from '../command.ts';
import { CommandError, exitCode, usageError } from '../exit-code.ts';
import { openSettings } from '../open-settings.ts';

export const reset = defineCommand({
  name: 'reset',
  summary: 'Empty a stopped hub.',
  description:
    'Removes every event, count and position of the hub that the settings name, for good. Refused while a hub runs on it.',
  flags: { yes: { kind: 'switch', help: 'Needed: nothing brings the events back.' } },
  usesSettings: true,
  examples: [['event-hub reset --yes', 'an empty hub, after the running one was stopped']],
  run: async ({ flags, settingFlags, terminal }) => {
    const { settings } = openSettings(settingFlags, terminal);
    const place = maskPasswords(settings.log);
    if (!flags.yes) throw usageError(`this removes all events in ${place} for good: add --yes`);
    try {
      await eraseEngines(settings);
    } catch (reason) {
      if (reason instanceof HubError && reason.code === 'not_found') {
        throw new CommandError(exitCode.done, `there is nothing at ${place}`);
      }
      if (reason instanceof HubError) throw new CommandError(exitCode.usage, reason.message);
      throw reason;
    }
    auditAct(settings, 'hub_reset');
    terminal.err(`${place} is empty`);
    return exitCode.done;
  },
});
