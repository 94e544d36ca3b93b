import { describe, expect, it } from 'vitest';
import { repeatUntilAborted } from '../../src/base/repeat-until-aborted.ts';
import { manualClock } from '../support/manual-clock.ts';

describe('repeat until aborted', () => {
  it('waits as long as each piece of work says', async () => {
    const clock = manualClock(0);
    const stopping = new AbortController();
    const startedMs: number[] = [];
    const done = repeatUntilAborted(stopping.signal, clock, async () => {
      startedMs.push(clock.now());
      return startedMs.length * 10;
    });
    await clock.advance(0);
    await clock.advance(9);
    await clock.advance(1);
    await clock.advance(19);
    await clock.advance(1);
    expect(startedMs).toEqual([0, 10, 30]);
    stopping.abort();
    await done;
  });

  it('finishes the piece under way when it is aborted, and begins no other', async () => {
    const stopping = new AbortController();
    const work = Promise.withResolvers<number>();
    let begun = 0;
    const done = repeatUntilAborted(stopping.signal, manualClock(0), () => {
      begun += 1;
      return work.promise;
    });
    stopping.abort();
    work.resolve(0);
    await done;
    expect(begun).toBe(1);
  });

  it('ends its wait at once when it is aborted, which is no failure', async () => {
    const clock = manualClock(0);
    const stopping = new AbortController();
    const done = repeatUntilAborted(stopping.signal, clock, async () => 60_000);
    await clock.advance(0);
    stopping.abort();
    await expect(done).resolves.toBeUndefined();
  });

  it('does nothing for who has aborted before', async () => {
    let begun = 0;
    await repeatUntilAborted(AbortSignal.abort(), manualClock(0), async () => {
      begun += 1;
      return 0;
    });
    expect(begun).toBe(0);
  });
});
