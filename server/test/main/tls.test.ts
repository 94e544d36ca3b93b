import { once } from 'node:events';
import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import type { HubOptions } from '../../src/main.ts';
import { GrpcClient } from '../protocols/grpc/grpc-client.ts';
import { capturedLog } from '../support/captured-log.ts';
import { type Identity, makeAuthority, makeIdentity } from '../support/certificates.ts';
import { hurriedClock } from '../support/hurried-clock.ts';
import { describeWith } from '../support/needed-program.ts';
import { sendRaw } from '../support/raw-http.ts';
import { openSecure, secureGet } from '../support/secure-get.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

describeWith('TLS', 'openssl', (openssl) => {
  let made: TemporaryFolder;
  let authority: Identity;
  let stranger: Identity;
  let first: Identity;
  let second: Identity;
  let client: Identity;
  beforeAll(() => {
    made = temporaryFolder();
    authority = makeAuthority(openssl, made.path, 'authority');
    stranger = makeAuthority(openssl, made.path, 'stranger');
    first = makeIdentity(openssl, made.path, 'first', authority);
    second = makeIdentity(openssl, made.path, 'second', authority);
    client = makeIdentity(openssl, made.path, 'client', authority);
    return () => made.remove();
  });

  let folder: TemporaryFolder;
  let hub: TestHub | undefined;
  const ends: (() => unknown)[] = [];
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await hub?.remove();
    hub = undefined;
    folder.remove();
  });

  const path = (name: string) => join(folder.path, name);

  /** A hub with the identity in files of its own. */
  async function start(
    identity: Identity,
    { clientCa, ...options }: HubOptions & { readonly clientCa?: string } = {},
  ): Promise<TestHub> {
    install(identity);
    if (clientCa !== undefined) writeFileSync(path('ca.crt'), clientCa);
    const tls = {
      cert: path('tls.crt'),
      key: path('tls.key'),
      clientCa: clientCa === undefined ? undefined : path('ca.crt'),
    };
    hub = await startTestHub({ tls }, options);
    return hub;
  }

  function install({ cert, key }: Pick<Identity, 'cert' | 'key'>): void {
    writeFileSync(path('tls.crt'), cert);
    writeFileSync(path('tls.key'), key);
  }

  const trusting = () => ({ ca: authority.cert });
  const knownAs = ({ cert, key }: Identity) => ({ ca: authority.cert, cert, key });

  function grpcClient(address: string, shown?: Identity): GrpcClient {
    const own = shown && { cert: Buffer.from(shown.cert), key: Buffer.from(shown.key) };
    const security = credentials.createSsl(Buffer.from(authority.cert), own?.key, own?.cert);
    const made = new GrpcClient(address.replace('127.0.0.1', 'localhost'), {}, security);
    ends.push(() => made.close());
    return made;
  }

  /** Reaching the hub, or not, within a few tries of a connection. */
  const grpcStatus = async (asking: GrpcClient): Promise<number> =>
    (await asking.failure(asking.call('GetEvent', { id: 'a' }, { deadlineMs: 20_000 }))).code;

  it('carries HTTP, WebSockets and gRPC, and nothing is served beside it', async () => {
    const { url, grpcAddress } = await start(first);
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const answer = await secureGet(`${url}/livez`, trusting());
    expect([answer.status, answer.commonName]).toEqual([200, 'first']);
    expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d+/);
    const socket = new WebSocket(`${url.replace('https', 'wss')}/graphql`, 'graphql-transport-ws', {
      ...trusting(),
      origin: url,
    });
    await once(socket, 'open');
    socket.terminate();
    expect(await grpcStatus(grpcClient(grpcAddress))).toBe(status.NOT_FOUND);

    const plain = await sendRaw(url, 'GET /livez HTTP/1.1\r\nHost: hub\r\n\r\n');
    expect(plain.head).not.toContain('http/1.1 200');
    const plainGrpc = new GrpcClient(grpcAddress);
    ends.push(() => plainGrpc.close());
    expect(await grpcStatus(plainGrpc)).toBe(status.UNAVAILABLE);
  });

  it('is of version 1.2 at least, on both ports', async () => {
    const { url, grpcAddress } = await start(first);
    const ports = [new URL(url).port, grpcAddress.split(':')[1]].map(Number);
    for (const port of ports) {
      const outcomeOf = async (version: 'TLSv1.1' | 'TLSv1.2') => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          ...trusting(),
          minVersion: version,
          maxVersion: version,
          // OpenSSL itself would not offer the old one.
          ciphers: 'DEFAULT@SECLEVEL=0',
          ALPNProtocols: ['h2', 'http/1.1'],
        });
        const outcome = await Promise.race([
          once(socket, 'secureConnect').then(() => 'connected'),
          once(socket, 'close').then(
            () => 'closed',
            () => 'refused',
          ),
        ]).catch(() => 'refused');
        socket.destroy();
        return outcome;
      };
      expect([port, await outcomeOf('TLSv1.2')]).toEqual([port, 'connected']);
      expect([port, await outcomeOf('TLSv1.1')]).not.toEqual([port, 'connected']);
    }
  });

  it('with an authority of clients lets in who shows its certificate, and nobody else', async () => {
    const { url, grpcAddress } = await start(first, { clientCa: authority.cert });
    expect((await secureGet(`${url}/livez`, knownAs(client))).status).toBe(200);
    expect(await grpcStatus(grpcClient(grpcAddress, client))).toBe(status.NOT_FOUND);
    const unknown = makeIdentity(openssl, folder.path, 'unknown', stranger);
    for (const shown of [trusting(), knownAs(unknown)]) {
      await expect(secureGet(`${url}/livez`, shown)).rejects.toThrow();
    }
    expect(await grpcStatus(grpcClient(grpcAddress))).toBe(status.UNAVAILABLE);
    expect(await grpcStatus(grpcClient(grpcAddress, unknown))).toBe(status.UNAVAILABLE);
  });

  it('takes new certificates while streams go on', async () => {
    const { logger, lines } = capturedLog();
    const clock = hurriedClock({ [limits.tlsReloadMs]: 20 });
    const { url, grpcAddress } = await start(first, { logger, clock });
    const feed = await openSecure(`${url}/events/stream?after=start`, trusting());
    feed.setEncoding('utf8');
    let seen = '';
    feed.on('data', (text: string) => {
      seen += text;
    });
    const caller = grpcClient(grpcAddress);
    const stream = caller.duplex('SendEvents');
    const answers: unknown[] = [];
    stream.on('data', (answer) => answers.push(answer));
    stream.on('error', () => undefined);
    const event = { user_id: 'u1', event_type: 'purchase', amount_exact: '1' };
    stream.write({ ...event, id: 'before' });
    await expect.poll(() => seen).toContain('"before"');

    install(second);
    await expect.poll(() => lines.map(({ msg }) => msg)).toContain('certificates reloaded');
    expect((await secureGet(`${url}/livez`, trusting())).commonName).toBe('second');
    expect(await grpcName(grpcAddress)).toBe('second');
    stream.write({ ...event, id: 'after' });
    await expect.poll(() => seen).toContain('"after"');
    await expect.poll(() => answers).toHaveLength(2);
    stream.end();
    feed.destroy();
  });

  it('takes them from links that are swapped, as orchestrators do', async () => {
    const { logger, lines } = capturedLog();
    const clock = hurriedClock({ [limits.tlsReloadMs]: 20 });
    symlinkSync(first.certPath, path('now.crt'));
    symlinkSync(first.keyPath, path('now.key'));
    const tls = { cert: path('now.crt'), key: path('now.key'), clientCa: undefined };
    hub = await startTestHub({ tls }, { logger, clock });
    for (const [name, target] of [
      ['now.crt', second.certPath],
      ['now.key', second.keyPath],
    ] as const) {
      symlinkSync(target, path('next'));
      renameSync(path('next'), path(name));
    }
    await expect.poll(() => lines.map(({ msg }) => msg)).toContain('certificates reloaded');
    expect((await secureGet(`${hub.url}/livez`, trusting())).commonName).toBe('second');
  });

  it('keeps the old ones while the new do not go together, and says so once', async () => {
    const { logger, lines } = capturedLog();
    let looks = 0;
    const clock = {
      ...systemClock,
      every: (ms: number, action: () => void) =>
        ms === limits.tlsReloadMs
          ? systemClock.every(20, () => {
              looks += 1;
              action();
            })
          : systemClock.every(ms, action),
    };
    const { url } = await start(first, { logger, clock });
    writeFileSync(path('tls.key'), second.key);
    await expect.poll(() => lines.filter(({ level }) => level === 50)).toHaveLength(1);
    const before = looks;
    await expect.poll(() => looks).toBeGreaterThan(before + 5);
    expect(lines.filter(({ level }) => level === 50).map(({ msg }) => msg)).toEqual([
      `the certificates are not reloaded: tls.key ${path('tls.key')} is not the key of the certificate`,
    ]);
    expect((await secureGet(`${url}/livez`, trusting())).commonName).toBe('first');
    writeFileSync(path('tls.crt'), second.cert);
    await expect.poll(() => lines.map(({ msg }) => msg)).toContain('certificates reloaded');
    expect((await secureGet(`${url}/livez`, trusting())).commonName).toBe('second');
  });

  it('takes a new authority of clients, also instead of a session that the old one began', async () => {
    const { logger, lines } = capturedLog();
    const clock = hurriedClock({ [limits.tlsReloadMs]: 20 });
    const { url, grpcAddress } = await start(first, { logger, clock, clientCa: authority.cert });
    const known = connect({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      ...knownAs(client),
    });
    const [session] = await once(known.resume(), 'session');
    known.destroy();
    writeFileSync(path('ca.crt'), stranger.cert);
    await expect.poll(() => lines.map(({ msg }) => msg)).toContain('certificates reloaded');
    const friend = makeIdentity(openssl, folder.path, 'friend', stranger);
    expect((await secureGet(`${url}/livez`, knownAs(friend))).status).toBe(200);
    for (const resumed of [{}, { session }]) {
      const asking = secureGet(`${url}/livez`, { ...knownAs(client), ...resumed });
      await expect(asking).rejects.toThrow();
    }
    expect(await grpcStatus(grpcClient(grpcAddress, friend))).toBe(status.NOT_FOUND);
    expect(await grpcStatus(grpcClient(grpcAddress, client))).toBe(status.UNAVAILABLE);
  });

  it('warns of a certificate that has expired, and serves', async () => {
    const { logger, lines } = capturedLog();
    const clock = { ...systemClock, now: () => systemClock.now() + 3 * 86_400_000 };
    const { url } = await start(first, { logger, clock });
    expect(lines.map(({ level, msg }) => [level, msg])).toContainEqual([
      40,
      expect.stringMatching(/tls\.crt has expired \(.* GMT\)/),
    ]);
    expect((await secureGet(`${url}/livez`, trusting())).status).toBe(200);
  });

  it('is refused at the start with files that do not go together', async () => {
    install({ cert: first.cert, key: second.key });
    const tls = { cert: path('tls.crt'), key: path('tls.key'), clientCa: undefined };
    await expect(startTestHub({ tls })).rejects.toThrow(/tls\.key .* is not the key/);
    await expect(startTestHub({ tls: { ...tls, key: path('no.key') } })).rejects.toThrow(
      /tls\.key .*no\.key cannot be read: ENOENT/,
    );
  });

  it('closes connections that never finish their handshake', async () => {
    const { url, grpcAddress } = await start(first);
    const ports = [new URL(url).port, grpcAddress.split(':')[1]].map(Number);
    const silent = ports.map((port) => connectPlain(port, '127.0.0.1').resume());
    await Promise.all(silent.map((socket) => once(socket, 'close')));
    expect((await secureGet(`${url}/livez`, trusting())).status).toBe(200);
  });

  it('does not keep a stop waiting for who never finishes its handshake', async () => {
    const { url, stop } = await start(first);
    const silent = connectPlain(Number(new URL(url).port), '127.0.0.1');
    const idle = connect({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      ...trusting(),
    });
    const ended = Promise.all([silent, idle].map((socket) => once(socket.resume(), 'close')));
    await Promise.all([once(silent, 'connect'), once(idle, 'secureConnect')]);
    await stop();
    await ended;
  });

  /** The common name of the certificate that the gRPC port shows to a new connection. */
  async function grpcName(address: string): Promise<string> {
    const [host, port] = address.split(':');
    const socket = connect({
      port: Number(port),
      host,
      ca: authority.cert,
      ALPNProtocols: ['h2'],
    });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  }
});
