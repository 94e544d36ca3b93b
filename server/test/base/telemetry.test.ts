import { describe, expect, it } from 'vitest';
import { commitSizeBuckets, createTelemetry, durationBucketsMs } from '../../src/base/telemetry.ts';

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
    for (const ms of [0, 1, 1.5, 10_000, 10_001]) telemetry.observeAppend(3, ms);
    const { buckets, count, sum } = telemetry.append;
    expect(buckets).toHaveLength(durationBucketsMs.length + 1);
    expect([buckets[0], buckets[1], buckets.at(-2), buckets.at(-1)]).toEqual([2, 1, 1, 1]);
    expect([count, sum]).toEqual([5, 20_003.5]);
    const { commitSizes } = telemetry;
    expect(commitSizes.buckets[commitSizeBuckets.indexOf(5)]).toBe(5);
    expect([commitSizes.count, commitSizes.sum]).toEqual([5, 15]);
  });

  it('counts each event of a delivery', () => {
    const telemetry = createTelemetry();
    telemetry.observeDelivery('sse', 3, 4);
    telemetry.observeDelivery('sse', 1, 1);
    const sse = telemetry.delivery.get('sse');
    expect([sse?.count, sse?.sum]).toEqual([4, 13]);
    expect(sse?.buckets[durationBucketsMs.indexOf(5)]).toBe(3);
  });

  it('adds amounts up where that is asked for, and only there', () => {
    const telemetry = createTelemetry({ amounts: true });
    telemetry.addAmount('purchase', 'EUR', 150_750_000n);
    telemetry.addAmount('purchase', 'EUR', 1n);
    expect([...(telemetry.amounts ?? [])]).toEqual([['purchase\tEUR', 150.750_001]]);
    const silent = createTelemetry();
    silent.addAmount('purchase', 'EUR', 1n);
    expect(silent.amounts).toBeUndefined();
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
