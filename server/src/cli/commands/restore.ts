import { formatInstant, type Instant, systemClock } from '../../base/clock.ts';
import { auditAct } from '../audit-act.ts';
import { describeAccess } from '../backup/describe-access.ts';
import { describeContent, openBackups, withProgress } from '../backup/open-backups.ts';
import { defineCommand } from '../command.ts';
import { exitCode, usageError } from '../exit-code.ts';
import { openSettings } from '../open-settings.ts';

export const restore = defineCommand({
  name: 'restore',
  summary: 'Put such a copy in the place of a stopped hub.',
  description:
    "Puts a copy that `event-hub backup` wrote in the place of the embedded mode's file, after reading it whole. Refused while a hub runs there. What is there is kept beside it under another name, unless --yes. Events and counts are as they were at the moment of the backup. API keys are those of both: what was revoked or ran out in the file that is there stays so, its newer keys go on holding, and a closed hub stays closed. Where no hub is there, or it cannot be read, the keys of the copy that hold are named: revoke those that were revoked since. The log gets a new identity: positions from before are answered with `position_gone`, since what came after the backup is not there; who follows the hub starts anew from a time or from `start`. Senders may send again: what is known is a duplicate.",
  flags: {
    from: { kind: 'text', value: 'FILE', help: 'The copy; it is not changed.' },
    yes: { kind: 'switch', help: 'Remove what is there for good instead of keeping it aside.' },
  },
  usesSettings: true,
  examples: [
    ['event-hub restore --from /backups/hub.db', 'after the hub was stopped; then start it'],
    ['event-hub restore --from hub.db --log sqlite:./trial/hub.db', 'to try it elsewhere'],
  ],
  run: async ({ flags, settingFlags, terminal, interrupted }) => {
    const { from, yes = false } = flags;
    if (from === undefined) throw usageError('say what to restore: --from FILE');
    const { settings } = openSettings(settingFlags, terminal);
    const backups = await openBackups(settings);
    const now = systemClock.now();
    const place = settings.log.slice(settings.log.indexOf(':') + 1);
    const restored = await withProgress(terminal, (onProgress) =>
      backups.restore(settings.log, {
        from,
        aside: yes ? undefined : `${place}.before-${fileStamp(now)}`,
        at: now,
        onProgress,
        signal: interrupted,
      }),
    );
    auditAct(settings, 'hub_restored');
    if (restored.aside !== undefined) terminal.err(`what was there is ${restored.aside}`);
    terminal.err(
      `${place} has ${describeContent(restored)}; its log is ${restored.logId} from now on, and positions from before are answered with position_gone`,
    );
    for (const line of describeAccess(restored.access, now)) terminal.err(line);
    return exitCode.done;
  },
});

/** The time as a part of a file's name: `20261124T093000123Z`. */
function fileStamp(now: Instant): string {
  return formatInstant(now).replaceAll(/[-:.]/g, '');
}
