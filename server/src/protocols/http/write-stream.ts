import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';

/** A long answer, written only as fast as it is read. */
export interface StreamWriter {
  /** Whether what was written waits for its reader. */
  readonly blocked: boolean;
  /**
   * Resolves when more may be written. Rejects with `slow_reader` when the
   * reader takes nothing for `limits.subscriberStallMs`; the connection is
   * then cut, as nothing more would arrive. Resolves at once when the client
   * is gone: its `close` event tells.
   */
  write(content: string | Uint8Array): Promise<void>;
  /** Ends the answer; a reader that does not take the rest in time is cut. */
  end(text?: string): void;
}

export function createStreamWriter(response: ServerResponse, clock: Clock): StreamWriter {
  let blocked = false;
  return {
    get blocked() {
      return blocked;
    },
    write: async (content) => {
      if (response.destroyed || response.write(content)) return;
      blocked = true;
      const drained = await untilDrained(response, clock);
      blocked = false;
      if (drained) return;
      response.destroy();
      const seconds = limits.subscriberStallMs / 1000;
      throw new HubError('slow_reader', `the stream was not read for ${seconds} s`);
    },
    end: (text = '') => {
      if (response.destroyed) return;
      const cancel = clock.after(limits.subscriberStallMs, () => response.destroy());
      response.once('close', cancel);
      response.end(text);
    },
  };
}

/** False when time ran out first. A client that is gone counts as drained. */
function untilDrained(response: ServerResponse, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (drained: boolean) => {
      cancel();
      response.off('drain', drain).off('close', drain);
      resolve(drained);
    };
    const drain = () => settle(true);
    const cancel = clock.after(limits.subscriberStallMs, () => settle(false));
    response.once('drain', drain).once('close', drain);
  });
}
