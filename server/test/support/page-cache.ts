import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * The kernel's own account of each page of a file, by cachestat(2): prints the
 * first byte behind the first page that did not reach the disk.
 */
const program = `
import ctypes, os, sys
class Range(ctypes.Structure):
    _fields_ = [('off', ctypes.c_uint64), ('len', ctypes.c_uint64)]
class Pages(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ('cache', 'dirty', 'writeback', 'evicted', 'recently')]
libc = ctypes.CDLL(None, use_errno=True)
page = os.sysconf('SC_PAGESIZE')
def unsynced(file, offset, length):
    pages = Pages()
    if libc.syscall(451, file, ctypes.byref(Range(offset, length)), ctypes.byref(pages), 0) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    return pages.dirty + pages.writeback > 0
for path in sys.argv[1:]:
    file = os.open(path, os.O_RDWR)
    size = os.fstat(file).st_size
    first = next((at for at in range(0, size, page) if unsynced(file, at, page)), size) if unsynced(file, 0, 0) else size
    print(min(first + page, size))
`;

const python = process.env.PYTHON || 'python3';

/** What a power cut at one moment would leave of some files. */
export class PowerCut {
  readonly #kept: ReadonlyMap<string, number>;

  private constructor(kept: ReadonlyMap<string, number>) {
    this.#kept = kept;
  }

  /**
   * Now, of the files of a folder: all behind the first page that was written
   * and not synced would be lost. That page would stay, since its beginning may
   * have been synced before.
   */
  static at(folder: string): PowerCut {
    const files = readdirSync(folder).map((name) => join(folder, name));
    const kept = syncedBytes(files);
    return new PowerCut(new Map(files.map((file, index) => [file, kept[index] ?? 0])));
  }

  /** The answer is how many bytes went. */
  happen(): number {
    let lost = 0;
    for (const [file, bytes] of this.#kept) {
      lost += Math.max(0, statSync(file).size - bytes);
      truncateSync(file, bytes);
    }
    return lost;
  }
}

/** By trying: it takes Linux 6.5, and a file system that knows of a disk. */
export function canCutPower(): boolean {
  const folder = temporaryFolder();
  try {
    const [dirty, synced] = ['dirty', 'synced'].map((name) => join(folder.path, name));
    if (dirty === undefined || synced === undefined) return false;
    const bytes = Buffer.alloc(64 * 1024, 1);
    writeFileSync(synced, bytes, { flush: true });
    writeFileSync(dirty, bytes);
    const [ofDirty = 0, ofSynced] = syncedBytes([dirty, synced]);
    return ofDirty < bytes.length && ofSynced === bytes.length;
  } catch {
    return false;
  } finally {
    folder.remove();
  }
}

function syncedBytes(files: readonly string[]): readonly number[] {
  const { status, stdout, stderr } = spawnSync(python, ['-c', program, ...files], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr || 'there is no python3');
  return stdout.trim().split('\n').map(Number);
}
