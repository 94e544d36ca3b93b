import { spawnSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  alterUserScramCredentialsV0,
  ConnectionPool,
  ScramMechanisms,
  type ScramMechanismValue,
} from '@platformatic/kafka';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { eraseKafka } from '../../../src/log/kafka/erase-kafka.ts';
import { examineKafka } from '../../../src/log/kafka/examine-kafka.ts';
import { anEvent } from '../../support/build-event.ts';
import { freeEnginePort } from '../../support/engines/engine-process.ts';
import { type KafkaServer, startKafkaServer } from '../../support/engines/kafka-server.ts';
import { freshName } from '../../support/engines/shared-engines.ts';
import { openLog } from '../../support/kafka-harness.ts';
import { describeWith, describeWithOwnEngines } from '../../support/needed-program.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { readAll } from '../event-log.suite.ts';

const password = 'p@ss/w:rd';

/** Ports of one broker, by how it is to be reached. */
interface Ports {
  readonly sasl: number;
  readonly tls: number;
  /** Where a client shows a certificate, and gives a password besides. */
  readonly both: number;
}

/** A key with its certificate, as one file and as two. */
interface Identity {
  readonly key: string;
  readonly certificate: string;
  readonly pair: string;
}

function makeIdentity(openssl: string, folder: string, name: string): Identity {
  const [key, certificate, pair] = ['key', 'cert', 'pair'].map((kind) =>
    join(folder, `${name}-${kind}.pem`),
  ) as [string, string, string];
  const made = spawnSync(openssl, [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', `/CN=${name}`],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  ]);
  expect(made.status, String(made.stderr)).toBe(0);
  writeFileSync(pair, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'));
  return { key, certificate, pair };
}

function propertiesOf(
  port: number,
  controller: number,
  { sasl, tls, both }: Ports,
  server: Identity,
  client: Identity,
) {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const listeners = `PLAINTEXT://127.0.0.1:${port},SASL://127.0.0.1:${sasl},TLS://127.0.0.1:${tls},BOTH://127.0.0.1:${both}`;
  const mechanisms = (listener: string) => ({
    [`listener.name.${listener}.plain.sasl.jaas.config`]: `${plain} user_hub="${password}";`,
    [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]: scram,
    [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]: scram,
  });
  const certificates = (listener: string) => ({
    [`listener.name.${listener}.ssl.keystore.type`]: 'PEM',
    [`listener.name.${listener}.ssl.keystore.location`]: server.pair,
    [`listener.name.${listener}.ssl.truststore.type`]: 'PEM',
    [`listener.name.${listener}.ssl.truststore.location`]: client.certificate,
  });
  return {
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': listeners,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,BOTH:SASL_SSL,CONTROLLER:PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...mechanisms('sasl'),
    ...mechanisms('both'),
    ...certificates('tls'),
    ...certificates('both'),
    'listener.name.both.ssl.client.auth': 'required',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:hub',
  };
}

/** As `kafka-configs --alter --add-config 'SCRAM-SHA-512=[password=...]'` does. */
async function addScramUser(
  port: number,
  mechanism: ScramMechanismValue,
  name = 'hub',
): Promise<void> {
  const iterations = 4_096;
  const salt = randomBytes(16);
  const [length, digest] =
    mechanism === ScramMechanisms.SCRAM_SHA_256 ? [32, 'sha256'] : ([64, 'sha512'] as const);
  const saltedPassword = pbkdf2Sync(password, salt, iterations, length, digest);
  const pool = new ConnectionPool('test');
  try {
    const connection = await pool.get({ host: '127.0.0.1', port });
    const user = { name, mechanism, iterations, salt, saltedPassword };
    await alterUserScramCredentialsV0.api.async(connection, [], [user]);
  } finally {
    await pool.close();
  }
}

describeWith('access to a broker', 'openssl', (openssl) => {
  describeWithOwnEngines('of Kafka', ['kafka'], () => {
    const folder = temporaryFolder();
    let server: KafkaServer;
    let ports: Ports;
    let own: Identity;
    let client: Identity;
    beforeAll(async () => {
      own = makeIdentity(openssl, folder.path, 'broker');
      client = makeIdentity(openssl, folder.path, 'client');
      const [port, controller, sasl, tls, both] = await Promise.all([
        freeEnginePort(),
        freeEnginePort(),
        freeEnginePort(),
        freeEnginePort(),
        freeEnginePort(),
      ]);
      ports = { sasl, tls, both };
      const properties = propertiesOf(port, controller, ports, own, client);
      server = await startKafkaServer({ port, properties });
      await addScramUser(port, ScramMechanisms.SCRAM_SHA_256);
      await addScramUser(port, ScramMechanisms.SCRAM_SHA_512);
      await addScramUser(port, ScramMechanisms.SCRAM_SHA_512, 'guest');
      // The broker hears of users a moment after the controller has answered, of the last one last.
      while (!/does not allow/.test(await refusal(asGuest()))) await systemClock.sleep(20);
    }, 120_000);
    afterAll(async () => {
      await server?.remove();
      folder.remove();
    });

    const saslUrl = (query: string, secret = password) =>
      `kafka://hub:${encodeURIComponent(secret)}@127.0.0.1:${ports.sasl}/${freshName('events')}${query}`;
    const asGuest = () => saslUrl('').replace('hub:', 'guest:');
    const useOnce = async (url: string) => {
      const log = await openLog(url);
      try {
        await log.append([{ events: [anEvent()], atomic: false }]);
        await log.check();
        expect(await readAll(log)).toHaveLength(1);
        const abort = new AbortController();
        const read = log.read({ from: 'start', follow: true, limit: 5, signal: abort.signal });
        expect((await read[Symbol.asyncIterator]().next()).value).toHaveLength(1);
        abort.abort();
      } finally {
        await log.close();
      }
      const findings = await examineKafka(url);
      expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
      expect(JSON.stringify(findings)).not.toContain(password);
      await eraseKafka(url);
    };
    const refusal = (url: string) =>
      openLog(url).then(
        async (log) => {
          await log.close();
          return 'it opened';
        },
        ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
      );

    it.each(['', '?sasl=plain', '?sasl=scram-sha-256', '?sasl=scram-sha-512'])(
      'is by the user and the password of the URL (%s)',
      async (query) => {
        await useOnce(saslUrl(query));
        const refused = await refusal(saslUrl(query, 'not-the-secret'));
        expect(refused).toMatch(/^conflict: .*refuses the user or the password/);
        expect(refused).not.toContain('not-the-secret');
      },
    );

    it('is refused for good to a user without rights on the topic', async () => {
      const refused = await refusal(asGuest());
      expect(refused).toMatch(/^conflict: .*does not allow this user/);
    });

    it('is refused for good with a password where the broker takes none', async () => {
      const url = saslUrl('').replace(`:${ports.sasl}/`, `:${server.port}/`);
      expect(await refusal(url)).toMatch(/^conflict: .*takes no user here/);
    });

    it('is refused to whom the broker asks for a password and gets none', async () => {
      const url = `kafka://127.0.0.1:${ports.sasl}/${freshName('events')}`;
      expect(await refusal(url)).toMatch(/^unavailable: /);
    });

    it('by TLS trusts the certificates that the URL names, and no others', async () => {
      const url = `kafkas://localhost:${ports.tls}/${freshName('events')}`;
      expect(await refusal(url)).toMatch(/^unavailable: .*certificate/);
      expect(await refusal(`${url}?ca=${client.certificate}`)).toMatch(/certificate/);
      await useOnce(`${url}?ca=${own.certificate}`);
    });

    it('by TLS shows the certificate that the URL names, with a password besides', async () => {
      const hub = `hub:${encodeURIComponent(password)}`;
      const url = `kafkas://${hub}@localhost:${ports.both}/${freshName('events')}?ca=${own.certificate}`;
      const refused = await refusal(url);
      expect(refused).toMatch(/^unavailable: /);
      expect(refused).not.toContain(password);
      await useOnce(`${url}&cert=${client.certificate}&key=${client.key}`);
    });
  });
});
