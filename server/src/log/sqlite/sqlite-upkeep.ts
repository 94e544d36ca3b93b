import type { FileBackups } from '../../base/file-backups.ts';
import type { Finding } from '../../base/finding.ts';
import { backUpFile } from '../../engines/sqlite/back-up-file.ts';
import { eraseFile } from '../../engines/sqlite/erase-file.ts';
import { examineFile } from '../../engines/sqlite/examine-file.ts';
import { restoreFile } from '../../engines/sqlite/restore-file.ts';
import { fileOf } from '../../engines/sqlite/sqlite-engine.ts';

export function examineSqlite(url: string): readonly Finding[] {
  return examineFile(fileOf(url));
}

export function eraseSqlite(url: string): void {
  eraseFile(fileOf(url));
}

export const sqliteBackups: FileBackups = {
  backUp: (url, options) => backUpFile(fileOf(url), options),
  restore: (url, options) => restoreFile(fileOf(url), options),
};
