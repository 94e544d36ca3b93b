import { limits } from '../../base/limits.ts';
import type { FeedBatch, Position } from '../../hub.ts';
import type { StreamWriter } from '../http/write-stream.ts';
import type { StreamFrames } from './stream-frames.ts';

export interface FeedWriter {
  /** Where a reader of everything written so far continues. */
  readonly position: Position | undefined;
  /** Resolves when the reader has room for more; rejects with `slow_reader`. */
  write(batch: FeedBatch): Promise<void>;
  /** Says that the stream is alive, and where it is when the feed is filtered; nothing while the reader has no room. */
  heartbeat(): void;
}

export function createFeedWriter(
  writer: StreamWriter,
  frames: StreamFrames,
  isFiltered: boolean,
): FeedWriter {
  let position: Position | undefined;
  return {
    get position() {
      return position;
    },
    write: async (batch) => {
      let text = '';
      for (const entry of batch.entries) {
        text += frames.entry(entry);
        if (text.length < limits.streamWriteCharacters) continue;
        await writer.write(text);
        position = entry.position;
        text = '';
      }
      if (batch.caughtUp) text += frames.caughtUp(batch.position);
      if (text !== '') await writer.write(text);
      position = batch.position ?? position;
    },
    heartbeat: () => {
      if (writer.blocked) return;
      const beat = frames.heartbeat(isFiltered ? position : undefined);
      // A reader that stalls here stalls the next batch too, which ends the stream.
      writer.write(beat).catch(() => undefined);
    },
  };
}
