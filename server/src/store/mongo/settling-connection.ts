import { createRequire } from 'node:module';

/** What is used here of the driver's own class, which it does not export. */
interface DriverConnection {
  /** Why it is closed. */
  readonly error: Error | null;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
  writeCommand(command: unknown, options: unknown): Promise<void>;
}

const { Connection } = createRequire(import.meta.url)('mongodb/lib/cmap/connection.js') as {
  readonly Connection: new (stream: unknown, options: unknown) => DriverConnection;
};

/**
 * A connection on which every command comes to an end. The driver's own (7.9.0)
 * waits for `drain` after a write that the socket did not take whole, and also
 * when the socket takes nothing because it was closed in the same turn: then
 * `drain` never comes, and neither does any deadline of the driver's. Whoever
 * sent the command would wait for ever, on a connection that never returns to
 * the pool.
 */
export class SettlingConnection extends Connection {
  override async writeCommand(command: unknown, options: unknown): Promise<void> {
    const { promise: closed, reject } = Promise.withResolvers<never>();
    const onClose = () => reject(this.error);
    this.once('close', onClose);
    try {
      await Promise.race([super.writeCommand(command, options), closed]);
    } finally {
      this.off('close', onClose);
    }
  }
}
