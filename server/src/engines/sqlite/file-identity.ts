import { type BigIntStats, statSync } from 'node:fs';
import { HubError } from '../../base/errors.ts';

/** Which file stood at a path. Crosses threads. */
export interface FileMark {
  readonly path: string;
  readonly inode: bigint;
  readonly device: bigint;
}

/** The files must exist. */
export function markFiles(paths: readonly string[]): readonly FileMark[] {
  return paths.map((path) => {
    const { ino, dev } = statSync(path, { bigint: true });
    return { path, inode: ino, device: dev };
  });
}

/** Remembers which files were opened, to notice when they are removed or replaced underneath. */
export class FileIdentity {
  readonly marks: readonly FileMark[];

  constructor(marks: readonly FileMark[]) {
    this.marks = marks;
  }

  /** Rejects with `unavailable` while a file is not the one that was opened. */
  assertUnchanged(): void {
    for (const { path, inode, device } of this.marks) {
      const found = tryStat(path);
      if (found?.ino === inode && found.dev === device) continue;
      throw new HubError(
        'unavailable',
        `the file ${path} was ${found === undefined ? 'removed' : 'replaced'} under the running hub: put it back, or restart the hub on what is there`,
        { retryAfterS: 5 },
      );
    }
  }
}

function tryStat(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined; // A file stands where the folder was.
  }
}
