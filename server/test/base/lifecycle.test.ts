import { describe, expect, it } from 'vitest';
import { Lifecycle } from '../../src/base/lifecycle.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { manualClock } from '../support/manual-clock.ts';

describe('lifecycle', () => {
  const create = () => {
    const clock = manualClock(0);
    return { clock, lifecycle: new Lifecycle({ clock, logger: silentLogger, stopMs: 9_000 }) };
  };

  it('stops in reverse, each part after the one that stands on it', async () => {
    const { lifecycle } = create();
    const stopped: string[] = [];
    for (const name of ['log', 'hub', 'http']) lifecycle.add(name, () => void stopped.push(name));
    await lifecycle.stop();
    expect(stopped).toEqual(['http', 'hub', 'log']);
  });

  it('stops the others when one fails', async () => {
    const { lifecycle } = create();
    const stopped: string[] = [];
    lifecycle.add('log', () => void stopped.push('log'));
    lifecycle.add('http', () => Promise.reject(new Error('no')));
    await lifecycle.stop();
    expect(stopped).toEqual(['log']);
  });

  it('goes on when one does not end in time', async () => {
    const { lifecycle, clock } = create();
    const stopped: string[] = [];
    lifecycle.add('log', () => void stopped.push('log'));
    lifecycle.add('http', () => new Promise(() => undefined));
    const stopping = lifecycle.stop();
    await clock.advance(9_000);
    await stopping;
    expect(stopped).toEqual(['log']);
  });

  it('stops once, however often it is asked', async () => {
    const { lifecycle } = create();
    let stops = 0;
    lifecycle.add('log', () => {
      stops += 1;
    });
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(stops).toBe(1);
  });
});
