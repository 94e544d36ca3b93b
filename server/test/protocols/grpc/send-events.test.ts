import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { all } from './grpc-client.ts';
import { servedHub } from './served-hub.ts';

const served = servedHub();

const purchase = { user_id: 'u1', event_type: 'purchase', amount: 1 };

describe('SendEvents', () => {
  it('answers each event in order, refused ones among them', async () => {
    const stream = served.client.duplex('SendEvents');
    const count = 3_000;
    for (let index = 0; index < count; index += 1) {
      const amount = index % 7 === 0 ? -1 : index;
      stream.write({ ...purchase, amount, id: `order-${index}` });
    }
    stream.end();
    const answers = await all(stream);
    expect(answers.map((each) => each.event_id)).toEqual(
      Array.from({ length: count }, (_, index) => `order-${index}`),
    );
    for (const [index, { status: said, code, position }] of answers.entries()) {
      if (index % 7 === 0) expect({ said, code }).toEqual({ said: 'error', code: 'invalid' });
      else expect({ said, placed: position !== '' }).toEqual({ said: 'success', placed: true });
    }
  });

  it('answers before the client half-closes', async () => {
    const stream = served.client.duplex('SendEvents');
    const answers = stream[Symbol.asyncIterator]();
    for (const id of ['live-1', 'live-2']) {
      stream.write({ ...purchase, id });
      const { value } = await answers.next();
      expect(value).toMatchObject({ event_id: id, status: 'success' });
    }
    stream.end();
    expect((await answers.next()).done).toBe(true);
  });

  it('answers a repeated event with duplicate and a changed one with conflict', async () => {
    const stream = served.client.duplex('SendEvents');
    stream.write({ ...purchase, id: 'again' });
    stream.write({ ...purchase, id: 'again' });
    stream.write({ ...purchase, amount: 2, id: 'again' });
    stream.end();
    const [first, second, third] = await all(stream);
    expect(second).toMatchObject({ status: 'duplicate', position: first?.position });
    expect(third).toMatchObject({ event_id: 'again', status: 'error', code: 'conflict' });
  });

  it('answers a message that cannot be read, and goes on', async () => {
    const stream = served.client.duplex('SendEvents');
    stream.write(Buffer.from([0x0a, 0x02, 0xff, 0xfe]));
    stream.write({ ...purchase, id: 'after-unreadable' });
    stream.end();
    expect(await all(stream)).toMatchObject([
      { status: 'error', code: 'unreadable' },
      { event_id: 'after-unreadable', status: 'success' },
    ]);
  });

  it('ends with OK when nothing is sent', async () => {
    const stream = served.client.duplex('SendEvents');
    stream.end();
    expect(await all(stream)).toEqual([]);
  });

  it('stops reading from a client that does not read its answers, and loses none', async () => {
    const stream = served.client.duplex('SendEvents');
    const count = limits.grpcInFlightEvents * 4;
    let written = 0;
    for (let index = 0; index < count; index += 1) {
      stream.write({ ...purchase, id: `unread-${index}` }, () => {
        written += 1;
      });
    }
    stream.end();
    const answers = await all(stream);
    expect(answers).toHaveLength(count);
    expect(written).toBe(count);
  });

  it('keeps what was answered when the client cancels', async () => {
    const stream = served.client.duplex('SendEvents');
    stream.write({ ...purchase, id: 'before-cancel' });
    const [answer] = await once(stream, 'data');
    expect(answer).toMatchObject({ status: 'success' });
    stream.cancel();
    const [error] = await once(stream, 'error');
    expect(error).toMatchObject({ code: status.CANCELLED });
    expect(await served.client.call('GetEvent', { id: 'before-cancel' })).toMatchObject({
      amount: 1,
    });
  });

  it('keeps several streams apart', async () => {
    const streams = Array.from({ length: 8 }, () => served.client.duplex('SendEvents'));
    for (const [number, stream] of streams.entries()) {
      for (let index = 0; index < 300; index += 1) {
        stream.write({ ...purchase, id: `stream-${number}-${index}` });
      }
      stream.end();
    }
    const answers = await Promise.all(streams.map(all));
    for (const [number, each] of answers.entries()) {
      expect(each.map((answer) => answer.event_id)).toEqual(
        Array.from({ length: 300 }, (_, index) => `stream-${number}-${index}`),
      );
    }
  });
});
