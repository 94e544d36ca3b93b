import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/base/nearest-name.ts';

describe('nearestName', () => {
  const known = ['id', 'user_id', 'event_type', 'amount', 'currency', 'timestamp', 'metadata'];

  it.each([
    ['amout', 'amount'],
    ['userId', 'user_id'],
    ['USER-ID', 'user_id'],
    ['eventtype', 'event_type'],
    ['curency', 'currency'],
    ['time_stamp', 'timestamp'],
    ['meta', undefined],
    ['colour', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('takes %.20s for %s', (name, meant) => {
    expect(nearestName(name, known)).toBe(meant);
  });
});
