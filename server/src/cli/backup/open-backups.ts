import { HubError } from '../../base/errors.ts';
import type { FileBackups, FileContent } from '../../base/file-backups.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import type { Settings } from '../../config/settings.ts';
import { backupsOf } from '../../main/engines.ts';
import { CommandError, exitCode, usageError } from '../exit-code.ts';
import { showProgressBar } from '../progress-bar.ts';
import type { Terminal } from '../terminal.ts';

/** Throws CommandError, which says what to use instead, for a hub on servers. */
export async function openBackups(settings: Settings): Promise<FileBackups> {
  const backups = await backupsOf(settings);
  if (backups !== undefined) return backups;
  throw usageError(
    `the hub's data is on servers (${maskPasswords(settings.log)}, ${maskPasswords(settings.store)}), which have means of their own, such as mongodump: see "Backups" in docs/operate.md\n\`event-hub copy\` moves such a hub into a file and back, \`event-hub export\` and \`import\` its events`,
  );
}

/** Runs one copy with its progress on stderr. What is refused ends the command in one line. */
export async function withProgress<T>(
  terminal: Terminal,
  work: (onProgress: (copied: number, total: number) => void) => Promise<T>,
): Promise<T> {
  let copied = 0;
  let total = 0;
  const endProgress = showProgressBar(terminal, () => ({
    done: total === 0 ? undefined : copied / total,
    count: copied,
    text: () => (copied < total ? `${copied} of ${total} pages` : 'reading the copy ...'),
  }));
  try {
    return await work((pages, of) => {
      copied = pages;
      total = of;
    });
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    if (code === 'internal') throw reason;
    throw new CommandError(code === 'unavailable' ? exitCode.refused : exitCode.usage, message);
  } finally {
    endProgress();
  }
}

/** For people: what is in a copy. */
export function describeContent({ events, removed, newest }: FileContent): string {
  const upTo = newest === undefined ? '' : ` up to position ${newest}`;
  const gone = removed === 0 ? '' : ` (and records of ${removed} that retention removed)`;
  return `${events === 1 ? '1 event' : `${events} events`}${upTo}${gone}`;
}
