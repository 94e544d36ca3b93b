import { describe, expect, it } from 'vitest';
import { createTelemetry, durationBucketsMs } from '../../src/base/telemetry.ts';

describe('telemetry', () => {
  it('adds up by labels', () => {
    const telemetry = createTelemetry();
    telemetry.countEvents('rest', 'purchase', 'accepted', 2);
    telemetry.countEvents('rest', 'purchase', 'accepted', 3);
    telemetry.countEvents('grpc', 'purchase', 'accepted', 1);
    expect([...telemetry.events]).toEqual([
      ['rest\tpurchase\taccepted', 5],
      ['grpc\tpurchase\taccepted', 1],
    ]);
  });

  it('counts what limits refuse by whose and what of', () => {
    const telemetry = createTelemetry();
    telemetry.countRateLimited('account', 'events');
    telemetry.countRateLimited('address', 'requests');
    telemetry.countRateLimited('account', 'events');
    expect([...telemetry.rateLimited]).toEqual([
      ['account\tevents', 2],
      ['address\trequests', 1],
    ]);
  });

  it('puts a duration into the first bucket that holds it', () => {
    const telemetry = createTelemetry();
    for (const ms of [0, 1, 1.5, 10_000, 10_001]) telemetry.observeAppendMs(ms);
    const { buckets, count, sumMs } = telemetry.append;
    expect(buckets).toHaveLength(durationBucketsMs.length + 1);
    expect([buckets[0], buckets[1], buckets.at(-2), buckets.at(-1)]).toEqual([2, 1, 1, 1]);
    expect([count, sumMs]).toEqual([5, 20_003.5]);
  });

  it('counts a subscriber once, however often it leaves', () => {
    const telemetry = createTelemetry();
    const leave = telemetry.subscriberOpened('sse');
    telemetry.subscriberOpened('sse');
    leave();
    leave();
    expect(telemetry.subscribers.get('sse')).toBe(1);
  });
});
