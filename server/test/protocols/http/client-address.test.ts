import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressList, parseAddressRange, plainAddress } from '../../../src/base/address-range.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { createTelemetry } from '../../../src/base/telemetry.ts';
import { clientAddress } from '../../../src/protocols/http/client-address.ts';
import { createHttpServer } from '../../../src/protocols/http/create-http-server.ts';
import { get } from '../../support/rest-calls.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const address = fc.oneof(ipv4, ipv6);
/** What one may find in the header besides addresses. */
const garbage = fc.oneof(
  fc.constantFrom('', 'unknown', '_hidden', '1.2.3', '1.2.3.4.5', '[1.2.3.4]', '::g', '999.1.1.1'),
  fc.string().filter((text) => !/[,0-9a-f:.]/i.test(text)),
);

function ask(remoteAddress: string, forwarded: string | undefined, trusted: readonly string[]) {
  const ranges = trusted.map((text) => {
    const range = parseAddressRange(text);
    if (range === undefined) throw new Error(`${text} is no range`);
    return range;
  });
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const socket = { remoteAddress };
  type Request = Parameters<typeof clientAddress>[0];
  return clientAddress({ headers, socket } as unknown as Request, addressList(ranges));
}

describe('the address of a client', () => {
  it('is the other end of the connection, whatever is said, when no proxy is trusted', () => {
    fc.assert(
      fc.property(address, fc.oneof(address, garbage), (peer, forwarded) => {
        expect(ask(peer, forwarded, [])).toBe(plainAddress(peer));
      }),
    );
  });

  it('is the last hop that is no trusted proxy, whatever stands before it', () => {
    const hops = fc.array(fc.oneof(address, garbage), { maxLength: 5 });
    fc.assert(
      fc.property(address, address, address, hops, (peer, inner, client, spoofed) => {
        const trusted = [peer, inner];
        fc.pre(!trusted.map(plainAddress).includes(plainAddress(client)));
        const forwarded = [...spoofed, client, inner].join(', ');
        expect(ask(peer, forwarded, trusted)).toBe(plainAddress(client));
      }),
    );
  });

  it('is the nearest that is known when a trusted proxy names no address', () => {
    fc.assert(
      fc.property(address, fc.oneof(address, garbage), garbage, (peer, spoofed, hop) => {
        expect(ask(peer, `${spoofed},${hop}`, [peer])).toBe(plainAddress(peer));
      }),
    );
  });

  it('is the farthest proxy when all are trusted', () => {
    expect(ask('10.0.0.1', '10.0.0.3, 10.0.0.2', ['10.0.0.0/8'])).toBe('10.0.0.3');
    expect(ask('10.0.0.1', undefined, ['10.0.0.0/8'])).toBe('10.0.0.1');
  });

  it('is read with a port, in brackets and in any spelling, and written in one way', () => {
    const port = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined });
    const spelled = fc.oneof(
      fc
        .tuple(ipv4, port)
        .map(([ip, number]) => [ip, number === undefined ? ip : `${ip}:${number}`]),
      ipv6.map((ip) => [ip, ip.toUpperCase()]),
      fc
        .tuple(ipv6, port)
        .map(([ip, number]) => [ip, number === undefined ? `[${ip}]` : `[${ip}]:${number}`]),
    );
    fc.assert(
      fc.property(spelled, ([ip = '', text = '']) => {
        fc.pre(plainAddress(ip) !== '127.0.0.1');
        expect(ask('127.0.0.1', text, ['127.0.0.1'])).toBe(plainAddress(ip));
      }),
    );
  });

  it('is the same for an IPv4 address on a socket of both families', () => {
    fc.assert(
      fc.property(ipv4, ipv4, (peer, client) => {
        fc.pre(peer !== client);
        expect(ask(`::ffff:${peer}`, `::ffff:${client}`, [peer])).toBe(client);
      }),
    );
    expect(ask('fe80::1%eth0', undefined, [])).toBe('fe80::1');
  });

  it('never fails, and is an address, whatever the header holds', () => {
    fc.assert(
      fc.property(address, fc.string(), (peer, forwarded) => {
        const found = ask(peer, forwarded, ['0.0.0.0/0', '::/0']);
        expect(parseAddressRange(found)?.address).toBe(found);
      }),
    );
  });
});

describe('ranges of addresses', () => {
  it('hold exactly the addresses with their first bits', () => {
    const bits = fc.integer({ min: 0, max: 32 });
    const number = fc.integer({ min: 0, max: 0xffff_ffff });
    const written = (value: number) =>
      [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
    fc.assert(
      fc.property(number, number, bits, (base, other, width) => {
        const range = parseAddressRange(`${written(base)}/${width}`);
        expect(range).toBeDefined();
        const isIn = range !== undefined && addressList([range])(written(other));
        const high = (value: number) => (width === 0 ? 0 : value >>> (32 - width));
        expect(isIn).toBe(high(base) === high(other));
      }),
    );
  });

  it('of IPv4 addresses may be written as those of IPv6', () => {
    expect(parseAddressRange('::ffff:10.0.0.0/104')).toEqual(parseAddressRange('10.0.0.0/8'));
  });

  it.each([
    '',
    'x',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '/8',
    '10.0/8',
    'fe80::1%eth0',
    '::ffff:10.0.0.0/80',
    'localhost',
  ])('are refused: "%s"', (text) => {
    expect(parseAddressRange(text)).toBeUndefined();
  });
});

describe('a server behind a proxy', () => {
  const open = (trustedProxies: readonly string[]) => {
    const ranges = trustedProxies.flatMap((text) => parseAddressRange(text) ?? []);
    const telemetry = createTelemetry();
    const server = createHttpServer({
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      logger: silentLogger,
      telemetry,
      trustedProxies: ranges,
    });
    server.route('GET', '/', ({ request, response }) => {
      response.end(server.clientAddress(request));
    });
    return server;
  };
  const trusting = open(['127.0.0.0/8']);
  const distrusting = open([]);
  let urls: readonly string[];
  beforeAll(async () => {
    urls = await Promise.all(
      [trusting, distrusting].map(async (server) => {
        const { host, port } = await server.listen();
        return `http://${host}:${port}`;
      }),
    );
  });
  afterAll(() => Promise.all([trusting.close(), distrusting.close()]));

  it.each([
    [{ 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    [{ 'x-forwarded-for': '203.0.113.9, 198.51.100.7' }, '198.51.100.7'],
    [{ 'x-forwarded-for': '203.0.113.9, unknown' }, '127.0.0.1'],
    [{ 'x-forwarded-host': 'evil.example', 'x-real-ip': '203.0.113.9' }, '127.0.0.1'],
    [{ forwarded: 'for=203.0.113.9', 'client-ip': '203.0.113.9' }, '127.0.0.1'],
  ])('takes from %j the address %s, and nothing where it trusts nobody', async (headers, found) => {
    const answers = await Promise.all(urls.map((url) => get(url, '/', headers)));
    expect(answers.map(({ text }) => text)).toEqual([found, '127.0.0.1']);
  });
});
