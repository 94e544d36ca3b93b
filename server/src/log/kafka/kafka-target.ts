import { HubError } from '../../base/errors.ts';
import { decodedPart, refuseUnknownParameters } from '../../base/url-parts.ts';
import { tlsOfUrl, tlsParameters, type UrlTls } from '../../base/url-tls.ts';

/** What the URL of a log says. */
export interface KafkaTarget {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[];
  /** With the prefix. */
  readonly topic: string;
  readonly tls: UrlTls | undefined;
  readonly sasl: KafkaSasl | undefined;
  readonly compression: Compression;
  /** The URL without credentials, for messages. */
  readonly shown: string;
}

export interface KafkaSasl {
  readonly mechanism: (typeof mechanisms)[keyof typeof mechanisms];
  readonly username: string;
  readonly password: string;
}

export type Compression = (typeof compressions)[number];

const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;
const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const parameters = [...tlsParameters, 'compression', 'prefix', 'sasl'].sort();
const defaultPort = 9092;
const form = /^(kafkas?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^/?#]*))?\/?(?:\?([^#]*))?$/;
const topicName = /^[A-Za-z0-9._-]{1,249}$/;

/**
 * `kafka://[user:pass@]h1:9092,h2:9092/TOPIC`, `kafkas:` for TLS; `sasl=plain`,
 * `scram-sha-256` or `scram-sha-512` (the default with a user), `ca=FILE`,
 * `cert=FILE` and `key=FILE` for certificates of one's own, `prefix=` before the
 * topic's name, `compression=` (`zstd`).
 */
export function parseKafkaUrl(text: string): KafkaTarget {
  const match = form.exec(text);
  const [, scheme = '', user, hosts = '', path = '', query = ''] = match ?? [];
  // Another one means that a part of the password is taken for something else, and would be told.
  if (text.split('@').length > (user === undefined ? 1 : 2)) {
    throw unusable(
      'percent-encode "/", "?", "#" and "@" in the user and the password, and "@" after them',
    );
  }
  if (match === null) throw unusable('expected kafka://host:9092,host:9092/TOPIC');
  const asked = new URLSearchParams(query);
  refuseUnknownParameters(asked, parameters, unusable);
  const brokers = hosts.split(',').map(brokerOf);
  const topic = `${asked.get('prefix') ?? ''}${decodedPart(path, unusable) || 'events'}`;
  if (!topicName.test(topic) || topic === '.' || topic === '..') {
    throw unusable('a topic has 1 to 249 of A-Z, a-z, 0-9, ".", "_" and "-"');
  }
  return {
    brokers,
    topic,
    tls: tlsOfUrl(asked, { scheme, secureScheme: 'kafkas', unusable }),
    sasl: saslOf(user, asked.get('sasl')),
    compression: compressionOf(asked.get('compression')),
    shown: `${scheme}://${brokers.join(',')}/${topic}`,
  };
}

function brokerOf(text: string): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) {
    throw unusable('expected HOST:PORT of each broker, with commas between them');
  }
  return `${match[1]}:${port}`;
}

function saslOf(user: string | undefined, wanted: string | null): KafkaSasl | undefined {
  if (user === undefined) {
    if (wanted !== null) throw unusable('?sasl= needs a user and a password before the host');
    return undefined;
  }
  const name = wanted ?? 'scram-sha-512';
  if (!isMechanism(name)) {
    throw unusable(`?sasl=${name} is unknown; known: ${Object.keys(mechanisms).join(', ')}`);
  }
  const colon = user.indexOf(':');
  if (colon === -1) throw unusable('a user without a password');
  return {
    mechanism: mechanisms[name],
    username: decodedPart(user.slice(0, colon), unusable),
    password: decodedPart(user.slice(colon + 1), unusable),
  };
}

function isMechanism(name: string): name is keyof typeof mechanisms {
  return Object.hasOwn(mechanisms, name);
}

function compressionOf(wanted: string | null): Compression {
  if (wanted === null) return 'zstd';
  const known = compressions.find((name) => name === wanted);
  if (known !== undefined) return known;
  throw unusable(`?compression=${wanted} is unknown; known: ${compressions.join(', ')}`);
}

/** Without the URL itself, which may hold a password. */
function unusable(problem: string): HubError {
  return new HubError('invalid', `EVENT_HUB_LOG is no usable Kafka URL: ${problem}`);
}
