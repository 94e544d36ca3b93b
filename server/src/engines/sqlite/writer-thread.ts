import { workerData } from 'node:worker_threads';
import { systemClock } from '../../base/clock.ts';
import { serveThread } from './thread.ts';
import { Writer, type WriterOptions } from './writer.ts';

const open = () => new Writer(workerData as WriterOptions, systemClock);
let writer: Writer | undefined;

/** Opened on the first request, so that a fault of the file is that request's answer. */
function current(): Writer {
  writer ??= open();
  return writer;
}

const procedures = {
  opened: () => current().opened(),
  append: (...args: Parameters<Writer['append']>) => current().append(...args),
  record: (...args: Parameters<Writer['record']>) => current().record(...args),
  rebuild: (...args: Parameters<Writer['rebuild']>) => current().rebuild(...args),
  removeOldest: (...args: Parameters<Writer['removeOldest']>) => current().removeOldest(...args),
  setValue: (...args: Parameters<Writer['setValue']>) => current().setValue(...args),
  keepValue: (...args: Parameters<Writer['keepValue']>) => current().keepValue(...args),
  resetPosition: (...args: Parameters<Writer['resetPosition']>) => current().resetPosition(...args),
  keepAside: (...args: Parameters<Writer['keepAside']>) => current().keepAside(...args),
  keepRemoved: (...args: Parameters<Writer['keepRemoved']>) => current().keepRemoved(...args),
  keepFrozen: (...args: Parameters<Writer['keepFrozen']>) => current().keepFrozen(...args),
  addKey: (...args: Parameters<Writer['addKey']>) => current().addKey(...args),
  expireKeys: (...args: Parameters<Writer['expireKeys']>) => current().expireKeys(...args),
  revokeKeys: (...args: Parameters<Writer['revokeKeys']>) => current().revokeKeys(...args),
  noteKeyUses: (...args: Parameters<Writer['noteKeyUses']>) => current().noteKeyUses(...args),
  reopenAccess: () => current().reopenAccess(),
  forgetCountedMinutes: (end: number) => current().forgetCountedMinutes(end),
  check: () => current().check(),
  checkpoint: () => current().checkpoint(),
  close: () => writer?.close(),
};

export type WriterProcedures = typeof procedures;

serveThread(procedures);
