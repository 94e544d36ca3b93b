import { isOver } from '../../auth/key-caller.ts';
import type { Instant } from '../../base/clock.ts';
import type { RestoredAccess } from '../../base/file-backups.ts';

/** For people, line by line: what they must look at themselves, because nothing that was there could tell. */
export function describeAccess(access: RestoredAccess, now: Instant): readonly string[] {
  const { replaced, isClosed } = access;
  const lines: string[] = [];
  if (replaced === 'unreadable') {
    lines.push(
      'keys that were revoked and whether the hub was closed cannot be read from what was there',
    );
  }
  const holding = access.onlyInCopy.filter((key) => !isOver(key, now));
  if (holding.length > 0) {
    const names = holding.map(({ id, name }) => `${name} (${id})`).join(', ');
    lines.push(
      `these keys hold as in the copy, since nothing that was there tells of them: ${names}; end those that were revoked with \`event-hub keys revoke --id ID\``,
    );
  } else if (replaced !== 'hub') {
    lines.push('no key of the copy holds');
  }
  if (replaced !== 'hub' && !isClosed) {
    lines.push('the hub is open, as in the copy: `event-hub keys create` closes it');
  }
  return lines;
}
