import { Binary } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { logShard } from '../../../src/log/one-shard.ts';
import { archiveLease } from '../../../src/readers/archive.ts';
import { leasePrefixes } from '../../../src/store/event-store.ts';
import { isLeaseOfWork } from '../../../src/store/mongo/leases.ts';

describe('a lease', () => {
  const leaseOf = (_id: string) => ({
    ...{ _id, holder: 'one', epoch: 1 },
    expires_at: new Date(),
    session: new Binary(),
  });

  it.each([`${leasePrefixes.process}one`, archiveLease(logShard)])(
    'named %s shows that somebody works on the database',
    (name) => expect(isLeaseOfWork(leaseOf(name))).toBe(true),
  );

  it('named minute report does not: it outlives a hub that was killed', () => {
    expect(isLeaseOfWork(leaseOf('minute report'))).toBe(false);
  });
});
