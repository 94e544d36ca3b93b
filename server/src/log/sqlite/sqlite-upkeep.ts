import type { Finding } from '../../base/finding.ts';
import { eraseFile } from '../../engines/sqlite/erase-file.ts';
import { examineFile } from '../../engines/sqlite/examine-file.ts';
import { fileOf } from '../../engines/sqlite/sqlite-engine.ts';

export function examineSqlite(url: string): readonly Finding[] {
  return examineFile(fileOf(url));
}

export function eraseSqlite(url: string): void {
  eraseFile(fileOf(url));
}
