import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { type HubPlace, HubProcess, placeHub } from './rig/hub-process.ts';
import { newestEvent } from './rig/read-stored.ts';
import { type StallableReader, transports } from './rig/stallable-readers.ts';

const mebibyte = 1024 * 1024;
/** Of each transport. */
const stalledEach = 4;
/**
 * What a hub may grow by for subscribers that do not read: 46 to 66 MiB were seen, and 90 where the collector was late;
 * without bounds it would be hundreds.
 */
const growthMax = 160 * mebibyte;

let folder: TemporaryFolder;
let place: HubPlace;
let hub: HubProcess;
let sent: string[];
let readers: StallableReader[];

beforeEach(async () => {
  folder = temporaryFolder();
  place = await placeHub(folder.path);
  hub = new HubProcess(place);
  await hub.ready;
  sent = [];
  readers = [];
  await flood(1);
});

afterEach(async () => {
  for (const reader of readers) reader.close();
  await hub.kill();
  folder.remove();
});

/** Events of 4 KiB, in batches that wait for their answers and for those who keep up. */
async function flood(events: number, healthy: readonly StallableReader[] = []): Promise<void> {
  for (let left = events; left > 0; left -= 250) {
    const note = 'x'.repeat(4_000);
    const batch = Array.from({ length: Math.min(250, left) }, () =>
      anInput({ metadata: { note } }),
    );
    expect((await postEvents(place.url, batch)).status).toBe(201);
    sent.push(...batch.map(({ id }) => String(id)));
    await Promise.all(healthy.map((reader) => reader.hasSeen(sent.length)));
  }
}

function open(transport: string, after = 'start'): StallableReader {
  const reader = transports[transport]?.(place, after);
  if (reader === undefined) throw new Error(`no transport ${transport}`);
  readers.push(reader);
  return reader;
}

/** A live subscriber that has read everything so far, and then stops reading. */
async function openStalled(transport: string): Promise<StallableReader> {
  const reader = open(transport);
  await reader.hasSeen(sent.length);
  reader.pause();
  return reader;
}

const idsOf = (reader: StallableReader) => reader.seen.map(({ id }) => id);

/** What the stalled one saw, and what another one sees that goes on from there, is everything in order. */
async function expectNoGap(transport: string, stalled: StallableReader): Promise<void> {
  const before = idsOf(stalled);
  expect(before, transport).toEqual(sent.slice(0, before.length));
  const resumed = open(transport, stalled.position);
  await resumed.hasSeen(sent.length - before.length);
  expect([...before, ...idsOf(resumed)], transport).toEqual(sent);
}

describe('subscribers that stop reading for good', () => {
  it('are cut, while the memory of the hub stays flat and the others see everything', async () => {
    const healthy = Object.keys(transports).map((transport) => open(transport));
    // Until the hub has the caches that it keeps.
    await flood(10_000, healthy);
    const restingBytes = hub.residentBytes();
    // One after another: each reads all of the history first, and a reader that this process keeps waiting is cut.
    const stalled: { readonly transport: string; readonly reader: StallableReader }[] = [];
    for (const transport of Object.keys(transports)) {
      for (let each = 0; each < stalledEach; each += 1) {
        stalled.push({ transport, reader: await openStalled(transport) });
      }
    }
    let peakBytes = 0;
    while ((await cuts()) < stalled.length) {
      await flood(500, healthy);
      peakBytes = Math.max(peakBytes, hub.residentBytes());
    }
    const inMebibytes = (bytes: number) => `${Math.round(bytes / mebibyte)} MiB`;
    process.stdout.write(
      `resident ${inMebibytes(restingBytes)} at rest, ${inMebibytes(peakBytes)} with ${stalled.length} stalled subscribers\n`,
    );
    expect((peakBytes - restingBytes) / mebibyte).toBeLessThan(growthMax / mebibyte);
    for (const reader of healthy) expect(idsOf(reader)).toEqual(sent);
    for (const { transport, reader } of stalled) {
      reader.resume();
      await reader.ended;
      expect(reader.seen.length, transport).toBeLessThan(sent.length);
    }
    for (const { transport, reader } of stalled.filter((_, index) => index % stalledEach === 0)) {
      await expectNoGap(transport, reader);
    }
  }, 120_000);
});

describe('a subscriber that falls behind and comes back', () => {
  it.each(Object.keys(transports))(
    'is told so, with the position to resume from (%s)',
    async (transport) => {
      const reader = await openStalled(transport);
      // More than the buffers of the transport, the kernel and the feed hold together.
      await flood(6_000);
      reader.resume();
      const end = await reader.ended;
      expect(end).toMatchObject({ code: 'slow_reader' });
      // Of gRPC, grpc-js drops what it had not handed over: the place is behind the last event sent.
      if (transport === 'grpc')
        expect(end.position && end.position >= String(reader.position)).toBe(true);
      else expect(end.position).toBe(reader.position);
      await expectNoGap(transport, reader);
    },
    60_000,
  );
});

describe('a subscriber that is slow in the history', () => {
  it.each(Object.keys(transports))(
    'is given all of it as fast as it reads, live events included (%s)',
    async (transport) => {
      await flood(3_000);
      const reader = open(transport);
      await reader.hasSeen(1);
      reader.pause();
      await flood(3_000);
      await sleep(500);
      reader.resume();
      await reader.hasSeen(sent.length);
      expect(idsOf(reader)).toEqual(sent);
      expect(reader.position).toBe((await newestEvent(place.url))?.position);
    },
    60_000,
  );
});

describe('subscribers that read on', () => {
  it.each(Object.keys(transports))('are given the largest batch whole: %s', async (transport) => {
    const reader = open(transport);
    await reader.hasSeen(sent.length);
    const batch = Array.from({ length: limits.commitEvents }, () => anInput({}));
    expect((await postEvents(place.url, batch)).status).toBe(201);
    sent.push(...batch.map(({ id }) => String(id)));
    await reader.hasSeen(sent.length);
    expect(idsOf(reader)).toEqual(sent);
  });
});

/** Streams that the hub has ended because they were not read. */
async function cuts(): Promise<number> {
  const { text } = await get(place.url, '/metrics');
  const lines = text.matchAll(
    /^event_hub_subscriber_cuts_total\{.*code="slow_reader".*\} (\d+)$/gm,
  );
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}
