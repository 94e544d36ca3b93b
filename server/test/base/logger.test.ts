import fc from 'fast-check';
import type { Logger as PinoLogger } from 'pino';
import { describe, expect, it } from 'vitest';
import { type LogLevel, LogLevelSwitch, logLevels } from '../../src/base/log-level.ts';
import { createLogger } from '../../src/base/logger.ts';
import { manualClock } from '../support/manual-clock.ts';

const spoken = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** A logger, one derived from it now, and what both have written. */
function twoLoggers(level: LogLevel | LogLevelSwitch) {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line) => lines.push(line) }) as PinoLogger;
  const says = (speaker: PinoLogger) => {
    lines.length = 0;
    for (const each of spoken) speaker[each](`a line of ${each}`);
    return lines.map((line) => JSON.parse(line).msg.split(' ').at(-1));
  };
  return { logger, child: logger.child({ part: 'one' }), says };
}

function from(level: LogLevel): readonly string[] {
  return spoken.filter((each) => logLevels.indexOf(each) >= logLevels.indexOf(level));
}

describe('logger', () => {
  it.each(logLevels)('with the level %s writes that and what weighs more', (level) => {
    const { logger, child, says } = twoLoggers(level);
    expect(says(logger)).toEqual(from(level));
    expect(says(child)).toEqual(from(level));
  });

  it('obeys each change at once, and so does what was derived before it and after', () => {
    const changes = fc.array(fc.constantFrom(...logLevels), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...logLevels), changes, (configured, levels) => {
        const level = new LogLevelSwitch(configured, manualClock(0));
        const { logger, child, says } = twoLoggers(level);
        for (const next of [configured, ...levels]) {
          if (next !== configured || level.state.level !== configured) level.change(next);
          const younger = logger.child({ part: 'two' }).child({ part: 'three' });
          for (const each of [logger, child, younger]) expect(says(each)).toEqual(from(next));
        }
      }),
    );
  });

  it('writes facts and errors of a line whatever decides on it', () => {
    const lines: string[] = [];
    const level = new LogLevelSwitch('warn', manualClock(0));
    const logger = createLogger(level, { write: (line) => lines.push(line) });
    logger.info({ part: 'x' }, 'nothing');
    logger.error({ err: new Error('why'), part: 'store' }, 'a sentence');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 50, part: 'store', err: { message: 'why' }, msg: 'a sentence' },
    ]);
  });
});

describe('log level', () => {
  it('that is changed for a while is the configured one again when that is over', async () => {
    const clock = manualClock(1_000);
    const level = new LogLevelSwitch('info', clock);
    const over: LogLevel[] = [];
    level.change('debug', { forMs: 500, onOver: () => over.push(level.state.level) });
    expect(level.state).toEqual({ level: 'debug', configured: 'info', until: 1_500 });
    await clock.advance(499);
    expect(level.state.level).toBe('debug');
    await clock.advance(1);
    expect(level.state).toEqual({ level: 'info', configured: 'info', until: undefined });
    expect(over).toEqual(['info']);
  });

  it.each([undefined, 2_000])(
    'that is changed once more (for %s) forgets the first end',
    async (forMs) => {
      const clock = manualClock(0);
      const level = new LogLevelSwitch('info', clock);
      level.change('debug', { forMs: 500 });
      level.change('error', { forMs });
      await clock.advance(1_000);
      expect(level.state).toEqual({ level: 'error', configured: 'info', until: forMs });
    },
  );
});
