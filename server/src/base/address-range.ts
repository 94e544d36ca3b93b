import { BlockList, isIP, SocketAddress } from 'node:net';

/** Addresses of the network by their first bits: `10.0.0.0/8`, `::1`. */
export interface AddressRange {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Undefined for what is neither an address nor one with the number of its leading bits. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, written = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(written);
  if (version === 0 || written.includes('%')) return undefined;
  const address = plainAddress(written);
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const widest = version === 4 ? 32 : 128;
  const given = bits === undefined ? widest : Number(bits);
  // The range of an IPv4 address that is written as an IPv6 one counts 96 bits more.
  const prefixBits = version === 6 && family === 'ipv4' ? given - 96 : given;
  if (given > widest || prefixBits < 0) return undefined;
  return { address, prefixBits, family };
}

/** What says whether an address, as `plainAddress` writes it, is in one of the ranges. */
export function addressList(ranges: readonly AddressRange[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefixBits, family } of ranges) list.addSubnet(address, prefixBits, family);
  return (address) => list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

/**
 * The one way to write an IP address: a socket of both families shows
 * 192.0.2.1 as `::ffff:192.0.2.1`, and a link's own addresses with the link.
 */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const bare = address.replace(/%.*$/, '');
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  return canonical.startsWith('::ffff:') && canonical.includes('.')
    ? canonical.slice('::ffff:'.length)
    : canonical;
}
