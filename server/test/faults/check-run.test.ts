import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBeside } from '../support/open-beside.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { checkRun, type Evidence, type Trail } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { startFollowers } from './rig/followers.ts';
import { History, SentEvent } from './rig/history.ts';
import { HubProcess, placeHub, runProgram } from './rig/hub-process.ts';
import { startLoad } from './rig/load.ts';
import { type KeptContent, readKept, type StoredEvent } from './rig/read-stored.ts';

/** A sound run, which every test below spoils in one place: a rig that finds nothing then is blind. */
let sound: Evidence;

beforeAll(async () => {
  const hub = await startTestHub();
  const load = startLoad(hub, { seed: 'control', batchMax: 20 });
  const followers = startFollowers(hub);
  await sleep(1_000);
  await load.stop();
  const evidence = await settle(hub, followers, load.history);
  await hub.stop();
  sound = { ...evidence, kept: readKept(join(hub.folder, 'event-hub.db')) };
  await hub.remove();
});

describe('the check of a run', () => {
  it('finds nothing in a sound one', () => {
    const verdict = checkRun(sound);
    expect(verdict.faults).toEqual([]);
    expect(verdict).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0, repeats: 0 });
    expect(verdict.acknowledged).toBeGreaterThan(50);
    expect(verdict.stored).toBe(verdict.acknowledged);
  });

  it('finds an acknowledged event that is not stored', () => {
    const invented = new SentEvent({ ...aSent().input, user_id: 'nobody' }, false);
    invented.outcome = 'stored';
    expect(checkRun(withHistory([...sound.history.events, invented]))).toMatchObject({
      lost: 1,
      faults: [expect.stringContaining('is lost')],
    });
  });

  it('finds an event that left the log after its answer', () => {
    const gone = lastOf(told());
    const verdict = checkRun({
      ...withEvents(told().slice(0, -1), sound.kept.rows.slice(0, -1)),
    });
    expect(verdict.lost).toBe(1);
    expect(verdict.faults.join()).toContain(gone.id);
    expect(verdict.faults.join()).toContain('was seen and is not stored');
  });

  it('finds an event that is stored twice under two ids', () => {
    const first = lastOf(told());
    const row = lastOf(sound.kept.rows);
    const verdict = checkRun(
      withEvents(
        [...told(), { ...first, id: 'second', position: `${first.position}x` }],
        [...sound.kept.rows, { ...row, id: 'second', position: Number(row.position) + 1 }],
      ),
    );
    expect(verdict.duplicated).toBe(1);
  });

  it('finds a refused event that is stored, and one that nobody sent', () => {
    const sent = aSent();
    const refused = new SentEvent(sent.input, true);
    const others = sound.history.events.filter((each) => each !== sent);
    expect(checkRun(withHistory([...others, refused])).unexpected).toBe(1);
    expect(checkRun(withHistory(others)).unexpected).toBe(1);
  });

  it('finds other content and another place', () => {
    const [first, ...others] = told();
    const amount = `${first?.amount}1`;
    expect(
      checkRun(withEvents([{ ...lastOf([first]), amount }, ...others])).faults.join(),
    ).toContain('is stored with other content');
    const position = `${first?.position}x`;
    const moved = checkRun(withEvents([{ ...lastOf([first]), position }, ...others]));
    expect(moved.faults.join()).toContain('was acknowledged at');
  });

  it('finds a minute that was counted twice', () => {
    const [first, ...others] = sound.kept.counts;
    const doubled = { ...lastOf([first]), event_count: (first?.event_count ?? 0) * 2 };
    const kept = { ...sound.kept, counts: [doubled, ...others] };
    expect(checkRun({ ...sound, kept }).faults).toEqual([
      expect.stringContaining('minute counts: '),
    ]);
  });

  it('finds a total that is told wrongly', () => {
    const [first, ...others] = sound.told.sums;
    const wrong = { ...lastOf([first]), total_amount: `${first?.total_amount}1` };
    const told = { ...sound.told, sums: [wrong, ...others] };
    expect(checkRun({ ...sound, told }).faults).toEqual([expect.stringContaining('totals: ')]);
  });

  it('finds a log that holds other entries than the store', () => {
    const log = told().map(({ id, position, metadata: _, ...fields }) => ({
      place: position,
      fields: { event_id: id, ...fields },
    }));
    const faultsOf = (changed: typeof log) =>
      checkRun({ ...sound, kept: { ...sound.kept, log: changed } }).faults;
    expect(faultsOf(log)).toEqual([]);
    expect(faultsOf(log.slice(0, -1)).join()).toContain('the log holds');
    expect(faultsOf([...log, lastOf(log)]).join()).toContain('ids are in the log twice');
    expect(faultsOf(log.toReversed()).join()).toContain('the API gives');
  });

  it('finds a damaged file', () => {
    const kept = { ...sound.kept, integrity: 'row 3 missing from index' };
    expect(checkRun({ ...sound, kept }).faults).toHaveLength(1);
  });

  it('finds a gap, a late end, another order and a repeat in a feed, but a repeat where it was resumed', () => {
    const seen = lastOf(sound.trails).seen;
    const faultsOf = (changed: Trail['seen'], resumes: readonly number[] = []) =>
      checkRun({ ...sound, trails: [{ name: 'feed', seen: changed, resumes }] }).faults.join();
    expect(faultsOf(seen)).toBe('');
    expect(faultsOf(seen.toSpliced(5, 1))).toContain('1 events before');
    expect(faultsOf(seen.slice(0, -2))).toContain('the last 2 events were not seen');
    expect(faultsOf(seen.toSpliced(5, 2, ...seen.slice(5, 7).reverse()))).not.toBe('');
    const repeated = seen.toSpliced(7, 0, ...seen.slice(5, 7));
    expect(faultsOf(repeated)).toContain('came again');
    expect(faultsOf(repeated, [7])).toBe('');
  });

  it('finds answers that contradict each other', () => {
    const answered = (...answers: Parameters<History['note']>[1][]) => {
      const history = new History();
      const event = history.add(aSent().input);
      for (const answer of answers) {
        event.sends += 1;
        history.note(event, answer);
      }
      return history.faults.join();
    };
    const { id } = aSent().input;
    const success = { status: 'success', id, position: '1' } as const;
    expect(answered(success, { ...success, status: 'duplicate' })).toBe('');
    expect(answered(success, success)).toContain('success twice');
    expect(answered({ ...success, status: 'duplicate' })).toContain('a duplicate at once');
    expect(answered(success, { ...success, status: 'duplicate', position: '2' })).toContain(
      'is at',
    );
    expect(answered({ status: 'refused', id })).toContain('was refused');
    expect(answered({ ...success, id: 'another' })).toContain('was answered with the id');
  });

  it('takes a refusal for an end, but after an unknown send where ids are known late', () => {
    const outcomeOf = (hasLagWindow: boolean, ...statuses: ('unknown' | 'not_stored')[]) => {
      const history = new History(hasLagWindow);
      const event = history.add(aSent().input);
      for (const status of statuses) history.note(event, { status, id: event.id });
      return event.outcome;
    };
    const invalid = new History(true);
    const bad = invalid.add(aSent().input, true);
    invalid.note(bad, { status: 'unknown', id: bad.id });
    invalid.note(bad, { status: 'refused', id: bad.id, code: 'invalid' });
    expect(bad.outcome).toBe('refused');
    expect(outcomeOf(false, 'not_stored')).toBe('refused');
    expect(outcomeOf(true, 'not_stored')).toBe('refused');
    expect(outcomeOf(false, 'unknown', 'not_stored')).toBe('refused');
    expect(outcomeOf(true, 'unknown', 'not_stored')).toBe('unknown');
  });
});

describe('the whole rig', () => {
  let folder: TemporaryFolder;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => folder.remove());

  it('notices a hub whose file was put back to an earlier state', async () => {
    const data = join(folder.path, 'data');
    mkdirSync(data);
    const place = await placeHub(data);
    const load = startLoad(place, { seed: 'put back', batchMax: 10 });
    const followers = startFollowers(place);
    const { stored } = load.history;
    await runUntil(() => stored.length >= 50);
    cpSync(data, join(folder.path, 'earlier'), { recursive: true });
    const before = stored.length;
    const keptBefore = readKept(place.file).rows.length;
    // The place of the follower is then one that the file will not have.
    await runUntil(() => stored.length >= before + 50 && seenBySse() > keptBefore);
    await load.stop();
    rmSync(data, { recursive: true });
    cpSync(join(folder.path, 'earlier'), data, { recursive: true });
    const hub = new HubProcess(place);
    await hub.ready;
    const evidence = await settle(place, followers, load.history, 1_000);
    await hub.kill();
    const verdict = checkRun({ ...evidence, kept: readKept(place.file) });
    expect(verdict.lost).toBeGreaterThan(0);
    expect(verdict.faults.join()).toContain('sse: ');

    async function runUntil(isDone: () => boolean): Promise<void> {
      const running = new HubProcess(place);
      while (!isDone()) await sleep(50);
      await running.kill();
    }

    function seenBySse(): number {
      return followers.find(({ name }) => name === 'sse')?.seen.length ?? 0;
    }
  }, 60_000);

  it('notices counts that are wrong in the file, by the hub’s own command too', async () => {
    const place = await placeHub(folder.path);
    const hub = new HubProcess(place);
    await hub.ready;
    const load = startLoad(place, { seed: 'counts', batchMax: 10 });
    await sleep(500);
    await load.stop();
    await hub.kill();
    const database = openBeside(place.file);
    database.exec('UPDATE minute_counts SET event_count = event_count + 1');
    database.close();
    expect(await runProgram(['metrics', 'verify'], place)).toMatchObject({ code: 1 });
    const told = { events: [], sums: [] };
    const evidence = { history: new History(), told, kept: readKept(place.file), trails: [] };
    expect(checkRun(evidence).faults.join()).toContain('minute counts: ');
  }, 60_000);
});

function told(): readonly StoredEvent[] {
  return sound.told.events;
}

/** An event that was acknowledged and had an id of its own. */
function aSent(): SentEvent {
  return lastOf(sound.history.stored.filter(({ input }) => input.id !== undefined));
}

function withHistory(events: readonly SentEvent[]): Evidence {
  const history = new History();
  history.events.push(...events);
  return { ...sound, history };
}

function withEvents(
  events: readonly StoredEvent[],
  rows: KeptContent['rows'] = sound.kept.rows,
): Evidence {
  return { ...sound, told: { ...sound.told, events }, kept: { ...sound.kept, rows } };
}

function lastOf<T>(items: readonly (T | undefined)[]): T {
  const last = items.at(-1);
  if (last === undefined) throw new Error('the sound run stored nothing');
  return last;
}
