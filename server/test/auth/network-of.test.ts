import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf } from '../../src/auth/network-of.ts';

describe('the network of an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff::9', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('is the same for all addresses of 64 bits of IPv6, and another for others', () => {
    const groups = fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 4, maxLength: 4 });
    const text = (of: readonly number[]) => of.map((group) => group.toString(16)).join(':');
    fc.assert(
      fc.property(groups, groups, groups, (network, host, other) => {
        const found = networkOf(`${text(network)}:${text(host)}`);
        expect(networkOf(`${text(network)}:${text(other)}`)).toBe(found);
        expect(networkOf(`${text(network)}::1`)).toBe(found);
        expect(networkOf(`${text(other)}:${text(host)}`) === found).toBe(
          text(other) === text(network),
        );
      }),
    );
  });
});
