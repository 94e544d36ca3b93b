import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import type { NewEvent } from '../../src/event/event.ts';
import { minuteOf } from '../../src/event/minute.ts';
import { formatAmount } from '../../src/event/money.ts';
import type { ModePlace, NewPlace } from '../support/hub-places.ts';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { postEvents } from '../support/rest-calls.ts';
import { jsonLines, runCli } from '../support/run-cli.ts';
import {
  partEvents,
  type RemovalReport,
  type RoundReport,
  removalRun,
  rounds,
} from './rig/removal-run.ts';

/** A removal by retention that dies at random moments, of the hub or of the command, and is done to its end. */
export function removalKillsSuite(name: string, newPlace: NewPlace): void {
  describe(`a removal ${name} whose process dies at random moments`, () => {
    const seed = String(randomInt(1_000_000));
    let place: ModePlace;
    let report: RemovalReport;
    const looks = () => [...report.rounds, report.last];

    beforeAll(async () => {
      place = await newPlace();
      report = await removalRun(place, seed);
    }, 180_000);
    afterAll(() => place.destroy());

    it('was under way each time, and not over', () => {
      expect(partEvents).toBe(limits.retentionEvents);
      for (const { events, kept, by, signal } of report.rounds) {
        expect(events, `${by} ${signal}`).toBeGreaterThan(0);
        expect(kept.removedEvents, `${by} ${signal}`).toBeLessThan(report.old.length);
      }
    });

    it('has removed a prefix of the log in whole parts, and nothing besides', () => {
      const ids = report.all.map(({ id }) => id);
      for (const { kept } of looks()) {
        const { removed, left } = kept;
        expect(removed.length % partEvents).toBe(0);
        expect([...removed, ...left].map(({ id }) => id)).toEqual(ids);
        expect(kept.removedEvents).toBe(removed.length);
        expect(kept.floor).toBe(removed.at(-1)?.position);
        const gone = report.all.slice(0, removed.length);
        const minutes = new Set(gone.map(({ timestamp }) => minuteOf(timestamp)));
        expect(kept.frozenMinutes).toEqual([...minutes].sort((a, b) => a - b));
      }
      expect(report.last.kept.removed).toHaveLength(report.old.length);
    });

    it('has the totals of each minute from before, at every time', () => {
      for (const { totalFaults } of looks()) expect(totalFaults, `seed ${seed}`).toEqual([]);
    });

    it('ends well with what is under way when it is asked to, and says how far it came', () => {
      const asked = report.rounds.filter(({ signal }) => signal !== 'SIGKILL');
      expect(asked).toHaveLength(rounds.filter(({ signal }) => signal !== 'SIGKILL').length);
      for (const each of asked) (each.by === 'apply' ? saysHowFar : logsHowFar)(each);
    });

    it('is done by the same command once more, which says what was left', () => {
      const { end, kept } = report.last;
      const before = report.rounds.at(-1)?.kept.removedEvents ?? 0;
      const left = kept.removedEvents - before;
      expect(end).toMatchObject({
        code: 0,
        stderr: expect.stringContaining(`${left} events were removed\n`),
      });
      expect(jsonLines(end)).toMatchObject([{ shard: '0', events: left }]);
    });

    describe('then', () => {
      let hub: HubProcess;
      beforeAll(async () => {
        hub = await startHubProcess(place, 'http,grpc,readers');
      });
      afterAll(() => hub.stop());

      it('knows each removed event, by its first place, and what is another one under its id', async () => {
        for (let at = 0; at < report.old.length; at += 6_000) {
          const events = report.old.slice(at, at + 6_000);
          const repeats = await resultsOf(events.map((event) => inputOf(event)));
          expect(repeats).toEqual(
            events.map(({ id }, index) => ({
              index,
              status: 'duplicate',
              id,
              position: report.positions.get(id),
            })),
          );
          const others = await resultsOf(events.map((event) => inputOf(event, 1n)));
          for (const each of others) {
            expect(each).toMatchObject({ status: 'rejected', error: { code: 'conflict' } });
          }
        }
      });

      it('has counts that metrics verify finds right, beside as many frozen minutes', async () => {
        const { code, stdout, stderr } = await runCli(['metrics', 'verify', ...place.flags]);
        const { frozenMinutes } = report.last.kept;
        expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
        expect(stderr).toContain(`${frozenMinutes.length} frozen minutes were passed over`);
      });

      const resultsOf = async (inputs: readonly unknown[]) => {
        const { json, text } = await postEvents(hub.url, inputs);
        if (json?.results === undefined) throw new Error(text);
        return json.results as readonly unknown[];
      };
    });
  });
}

function saysHowFar({ end, events }: RoundReport): void {
  expect(end.code).toBe(1);
  expect(end.stderr).toContain(`${events} events were removed\n`);
  expect(end.stderr).toContain('interrupted before the end: the same command goes on from there\n');
  expect(end.stderr).toContain('"audit":"retention_applied"');
  expect(jsonLines(end)).toMatchObject([{ shard: '0', events }]);
}

function logsHowFar({ end, events }: RoundReport): void {
  expect(end.code).toBe(0);
  const lines = end.stderr.split('\n').filter((line) => line.includes('removed what was too old'));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ shard: '0', events }]);
}

function inputOf(event: NewEvent, more = 0n): Record<string, unknown> {
  return {
    id: event.id,
    user_id: event.userId,
    event_type: event.eventType,
    amount: formatAmount(event.amount + more),
    currency: event.currency,
    timestamp: formatInstant(event.timestamp),
  };
}
