import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import { openRaw, readAnswer } from '../support/raw-http.ts';
import { openStream } from '../support/read-stream.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { checkRun } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { everySender } from './rig/every-sender.ts';
import { startFollowers } from './rig/followers.ts';
import type { Answer } from './rig/history.ts';
import { type HubPlace, HubProcess, placeHub } from './rig/hub-process.ts';
import { startLoad } from './rig/load.ts';
import { readKept } from './rig/read-stored.ts';
import type { Sender } from './rig/senders/sender.ts';

let folder: TemporaryFolder;
let place: HubPlace;
let hub: HubProcess;

beforeEach(async () => {
  folder = temporaryFolder();
  place = await placeHub(folder.path);
  await startHub();
});

afterEach(async () => {
  await hub.kill();
  folder.remove();
});

async function startHub(): Promise<void> {
  hub = new HubProcess(place);
  await hub.ready;
}

const clean = { code: 0, signal: null };

describe('SIGTERM under load', () => {
  it('cuts nothing that was sent before it: every event has an answer, or a refusal that names it', async () => {
    for (let round = 0; round < 4; round += 1) {
      if (round > 0) await startHub();
      const crowd = new Crowd(place);
      await crowd.hasAnswers(200);
      const underWay = await crowd.lastSends();
      hub.signal('SIGTERM');
      const ends = await Promise.all(underWay);
      const cut = ends.flatMap(({ name, answers }) =>
        answers.filter(isCut).map(({ code }) => `${name}: ${code}`),
      );
      expect(cut).toEqual([]);
      crowd.close();
      expect(await hub.exited).toEqual(clean);
    }
  }, 60_000);

  it('loses nothing, and leaves feeds that are resumed without a gap', async () => {
    const load = startLoad(place, { seed: 'stop', batchMax: 20 });
    const followers = startFollowers(place);
    for (let round = 0; round < 3; round += 1) {
      const answered = load.history.answers.success;
      const seen = followers.map((follower) => follower.seen.length);
      // A feed that has not begun has nothing to end.
      const begun = () => followers.every((each, at) => each.seen.length > (seen[at] ?? 0));
      while (load.history.answers.success < answered + 100 || !begun()) await sleep(20);
      expect(await hub.kill('SIGTERM')).toEqual(clean);
      expect(hub.survivors()).toEqual([]);
      await startHub();
    }
    await load.stop();
    const evidence = await settle(place, followers, load.history);
    const verdict = checkRun({ ...evidence, kept: readKept(place.file) });
    expect(verdict.faults).toEqual([]);
    for (const { name, ends } of followers) {
      // Said, and not only a connection that broke.
      expect(ends.filter((code) => code === 'unavailable').length, name).toBeGreaterThanOrEqual(3);
    }
  }, 60_000);
});

describe('SIGTERM', () => {
  it('comes behind every request that was written before it, on used and on fresh connections', async () => {
    const sockets = Array.from({ length: 40 }, () => openRaw(place.url));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets.slice(0, 20)) {
      socket.write(rawPost());
      await once(socket, 'data');
    }
    const answers = sockets.map((socket) => readAnswer(socket));
    for (const socket of sockets) socket.write(rawPost());
    hub.signal('SIGTERM');
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses).toEqual(sockets.map(() => 201));
    expect(await hub.exited).toEqual(clean);
  });

  it('comes behind connections that the hub had no time to accept', async () => {
    hub.signal('SIGSTOP');
    // The kernel takes connections and requests for a process that stands still.
    const sockets = Array.from({ length: 40 }, () => openRaw(place.url));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const answers = sockets.map((socket) => readAnswer(socket));
    for (const socket of sockets) socket.write(rawPost());
    hub.signal('SIGTERM');
    hub.signal('SIGCONT');
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses).toEqual(sockets.map(() => 201));
    expect(await hub.exited).toEqual(clean);
  });

  it('makes the hub unready before anything else ends', async () => {
    const probe = openRaw(place.url);
    await once(probe, 'connect');
    probe.write('GET /readyz?verbose HTTP/1.1\r\nhost: hub\r\n');
    const held = await heldRequest();
    hub.signal('SIGTERM');
    await refused();
    expect(hub.isRunning).toBe(true);
    probe.write('\r\n');
    const { status, body, head } = await readAnswer(probe, true);
    expect({ status, body }).toEqual({
      status: 503,
      body: expect.stringContaining('[-]hub failed: the hub is stopping'),
    });
    expect(head).toContain('connection: close');
    held.write('"amount":"1"}');
    expect((await readAnswer(held, true)).status).toBe(201);
    expect(await hub.exited).toEqual(clean);
  });

  it('ends a stream with the position to resume from', async () => {
    const sent = [anInput(), anInput(), anInput()];
    expect((await postEvents(place.url, sent)).status).toBe(201);
    const stream = await openStream(`${place.url}/events/stream?after=start`);
    await stream.frame('caught-up');
    hub.signal('SIGTERM');
    const { data, id } = await stream.frame('error');
    const problem = JSON.parse(data ?? '');
    expect(problem).toMatchObject({ code: 'unavailable', position: id });
    expect(await stream.rest()).toEqual([]);
    expect(await hub.exited).toEqual(clean);
    await startHub();
    const next = anInput();
    await postEvents(place.url, next);
    const { text } = await get(place.url, `/events/stream?follow=false&after=${problem.position}`, {
      accept: 'application/x-ndjson',
    });
    expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({ id: next.id });
  });

  it('ends within ten seconds although clients hold on', async () => {
    await postEvents(
      place.url,
      Array.from({ length: 2_000 }, () => aLongInput()),
    );
    const held = [await heldRequest(), await stalledStream(), await stalledStream()];
    const startedMs = performance.now();
    hub.signal('SIGTERM');
    expect(await hub.exited).toEqual(clean);
    // The hub's own promise is the bound, which no timer of the test's may replace.
    expect(performance.now() - startedMs).toBeLessThan(limits.stopMs + 1_000);
    expect(hub.survivors()).toEqual([]);
    for (const socket of held) socket.destroy();
  });

  it('ends at once when it comes again a second later, and not before', async () => {
    const held = await heldRequest();
    hub.signal('SIGTERM');
    await sleep(100);
    hub.signal('SIGTERM');
    // Well over a second, also for a hub that was late to hear of the first one.
    await sleep(2_500);
    expect(hub.isRunning).toBe(true);
    hub.signal('SIGTERM');
    expect(await hub.exited).toEqual({ code: 130, signal: null });
    held.destroy();
  });

  it('is the same as SIGINT', async () => {
    expect(await hub.kill('SIGINT')).toEqual(clean);
    expect(hub.survivors()).toEqual([]);
  });
});

function rawPost(): string {
  const body = JSON.stringify(anInput());
  return `POST /events HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** A request whose body is half sent: it is under way until the rest comes. */
async function heldRequest(): Promise<Socket> {
  const start = '{"user_id":"u1","event_type":"purchase",';
  const length = start.length + '"amount":"1"}'.length;
  const socket = openRaw(place.url);
  socket.write(
    `POST /events HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nexpect: 100-continue\r\n\r\n`,
  );
  // The hub asks for the body: it has the request in hand.
  await once(socket, 'data');
  socket.write(start);
  return socket;
}

/** A stream that nobody reads. */
async function stalledStream(): Promise<Socket> {
  const socket = openRaw(place.url);
  socket.write('GET /events/stream?after=start HTTP/1.1\r\nhost: hub\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  return socket;
}

/** Until the hub takes no connections any more. */
async function refused(): Promise<void> {
  for (;;) {
    const taken = await get(place.url, '/livez').catch(() => undefined);
    if (taken === undefined) return;
    await sleep(10);
  }
}

function aLongInput(): Record<string, unknown> {
  return anInput({ metadata: { note: 'x'.repeat(3_000) } });
}

/** Neither answered nor refused. */
function isCut({ status, code }: Answer): boolean {
  return status === 'unknown' && code !== 'unavailable';
}

interface Send {
  readonly name: string;
  readonly answers: readonly Answer[];
}

/** Several clients of each kind, each with one send under way. */
class Crowd {
  readonly #senders;
  readonly #sends: Promise<Send>[] = [];
  #answers = 0;
  #isLast = false;

  constructor(at: HubPlace) {
    this.#senders = Array.from({ length: 4 }, () => everySender(at)).flat();
    for (const [index, sender] of this.#senders.entries()) void this.#run(index, sender);
  }

  async hasAnswers(count: number): Promise<void> {
    while (this.#answers < count) await sleep(10);
  }

  /** What is under way, once it has left this process. */
  async lastSends(): Promise<readonly Promise<Send>[]> {
    this.#isLast = true;
    // Turns of this process and not a time: on a busy machine a connection may still have to be opened.
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    return this.#sends;
  }

  close(): void {
    for (const sender of this.#senders) sender.close();
  }

  async #run(index: number, sender: Sender): Promise<void> {
    while (!this.#isLast) {
      const inputs = Array.from({ length: Math.min(20, sender.eventsMax) }, () => anInput());
      const sending = sender
        .send(inputs as never, false)
        .then((answers) => ({ name: sender.name, answers }));
      this.#sends[index] = sending;
      this.#answers += (await sending).answers.length;
    }
  }
}
