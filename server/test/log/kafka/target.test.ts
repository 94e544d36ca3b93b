import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openKafkaLog } from '../../../src/log/kafka/kafka-log.ts';
import { parseKafkaUrl } from '../../../src/log/kafka/kafka-target.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the URL of a log in Kafka', () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());
  const file = (name: string) => {
    const path = join(folder.path, name);
    writeFileSync(path, `-- ${name} --`);
    return path;
  };

  it.each([
    ['kafka://h', ['h:9092'], 'events'],
    ['kafka://h/', ['h:9092'], 'events'],
    ['kafka://h:1/orders', ['h:1'], 'orders'],
    ['kafka://h:1/orders/', ['h:1'], 'orders'],
    ['kafka://h1:1,h2,h3:3/orders', ['h1:1', 'h2:9092', 'h3:3'], 'orders'],
    ['kafka://127.0.0.1:29092/a.b_c-D9', ['127.0.0.1:29092'], 'a.b_c-D9'],
    ['kafka://[::1]:1,[fe80::2]/x', ['[::1]:1', '[fe80::2]:9092'], 'x'],
    ['kafka://h?prefix=shop.', ['h:9092'], 'shop.events'],
    ['kafka://h/orders?prefix=shop.', ['h:9092'], 'shop.orders'],
    ['kafkas://h:1/%65vents', ['h:1'], 'events'],
  ])('%s means the brokers %j and the topic %s', (url, brokers, topic) => {
    expect(parseKafkaUrl(url)).toMatchObject({ brokers, topic });
  });

  it('asks for nothing more than it says', () => {
    expect(parseKafkaUrl('kafka://h')).toEqual({
      ...{ brokers: ['h:9092'], topic: 'events', tls: undefined, sasl: undefined },
      ...{ compression: 'zstd', shown: 'kafka://h:9092/events' },
    });
  });

  it.each([
    ['', 'SCRAM-SHA-512'],
    ['?sasl=plain', 'PLAIN'],
    ['?sasl=scram-sha-256', 'SCRAM-SHA-256'],
    ['?sasl=scram-sha-512', 'SCRAM-SHA-512'],
  ])('with a user and %j signs in by %s', (query, mechanism) => {
    const { sasl } = parseKafkaUrl(`kafka://hub:secret@h/t${query}`);
    expect(sasl).toEqual({ mechanism, username: 'hub', password: 'secret' });
  });

  it('holds any user and password, percent-encoded, and never shows them', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(text, text, (username, password) => {
        const user = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
        const { sasl, shown } = parseKafkaUrl(`kafka://${user}@h:1,g:2/t?sasl=plain`);
        expect(sasl).toMatchObject({ username, password });
        expect(shown).toBe('kafka://h:1,g:2/t');
      }),
    );
  });

  it('by kafkas: is a connection by TLS, with certificates out of files', () => {
    expect(parseKafkaUrl('kafkas://h').tls).toEqual({});
    const [ca, cert, key] = ['ca', 'cert', 'key'].map(file);
    expect(parseKafkaUrl(`kafkas://h?ca=${ca}`).tls).toEqual({ ca: '-- ca --' });
    expect(parseKafkaUrl(`kafkas://h/t?ca=${ca}&cert=${cert}&key=${key}`).tls).toEqual({
      ca: '-- ca --',
      cert: '-- cert --',
      key: '-- key --',
    });
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('may ask for compression=%s', (name) => {
    expect(parseKafkaUrl(`kafka://h?compression=${name}`).compression).toBe(name);
  });

  it.each([
    ['kafka:///t', 'expected kafka://host:9092,host:9092/TOPIC'],
    ['kafka:h', 'expected kafka://'],
    ['kafka://h/a/b', 'expected kafka://'],
    ['kafka://h/t#x', 'expected kafka://'],
    ['kafka://u:s3cret@', 'percent-encode'],
    ['kafka://u:s3cret@h@g/t', 'percent-encode'],
    ['kafka://u:s3cret/x@h/t', 'percent-encode'],
    ['kafka://u:x?s3cret@h/t', 'percent-encode'],
    ['kafka://u:x#s3cret@h/t', 'percent-encode'],
    ['kafka://u:x@y?s3cret@h/t', 'percent-encode'],
    ['kafka://u:s3cret', 'expected HOST:PORT'],
    ['kafka://u:s3cret@h:port/t', 'expected HOST:PORT'],
    ['kafka://u:s3cret@h:0/t', 'expected HOST:PORT'],
    ['kafka://u:s3cret@h:65536/t', 'expected HOST:PORT'],
    ['kafka://u:s3cret@h,,g/t', 'expected HOST:PORT'],
    ['kafka://u:s3cret@h,/t', 'expected HOST:PORT'],
    ['kafka://u:s3cret@::1/t', 'expected HOST:PORT'],
    ['kafka://u:s3cret@h/a b', 'a topic has 1 to 249 of'],
    ['kafka://u:s3cret@h/%2F', 'a topic has 1 to 249 of'],
    ['kafka://u:s3cret@h/..', 'a topic has 1 to 249 of'],
    [`kafka://u:s3cret@h/${'a'.repeat(250)}`, 'a topic has 1 to 249 of'],
    ['kafka://u:s3cret@h/%E0', 'write %25'],
    ['kafka://u:s3cret%@h/t', 'write %25'],
    ['kafka://u%:s3cret@h/t', 'write %25'],
    ['kafka://u:s3cret@h/t?topc=x', 'the parameter "topc"; known: ca, cert, compression, key'],
    ['kafka://u:s3cret@h/t?sasl=gssapi', '?sasl=gssapi is unknown; known: plain, scram-sha-256'],
    ['kafka://u:s3cret@h/t?sasl=toString', '?sasl=toString is unknown'],
    [
      'kafka://u:s3cret@h/t?compression=brotli',
      '?compression=brotli is unknown; known: none, gzip',
    ],
    ['kafkas://u:s3cret@h/t?ca=/no/such/file', 'the file of ?ca= cannot be read'],
    ['kafka://u:s3cret@h/t?ca=/no/such/file', '?ca= is for kafkas://'],
    ['kafka://s3cret@h/t', 'a user without a password'],
    ['kafka://h/t?sasl=plain', '?sasl= needs a user and a password'],
  ])('%s is refused before anything is connected', async (url, problem) => {
    const refused = openKafkaLog(url, { exclusive: true });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^EVENT_HUB_LOG is no usable Kafka URL: /),
    });
    const { message } = await refused.then(
      () => ({ message: '' }),
      (reason: Error) => reason,
    );
    expect(message).toContain(problem);
    expect(message).not.toContain('s3cret');
  });

  it('names a certificate only together with its key', () => {
    for (const name of ['cert', 'key']) {
      expect(() => parseKafkaUrl(`kafkas://h/t?${name}=${file(name)}`)).toThrowError(
        '?cert= and ?key= go together',
      );
    }
  });

  it('that is refused never repeats its password', () => {
    const part = fc.stringMatching(/^[a-z0-9.,:@/?#&=%[\]-]{0,12}$/);
    fc.assert(
      fc.property(part, part, part, (before, hosts, rest) => {
        const url = `kafka://${before}:s3cret@${hosts}${rest}`;
        try {
          expect(parseKafkaUrl(url).shown).not.toContain('s3cret');
        } catch (reason) {
          expect(reason).toMatchObject({ code: 'invalid' });
          expect(String(reason)).not.toContain('s3cret');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
