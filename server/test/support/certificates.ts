import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as files and as text. */
export interface Identity {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

/** Who signs the others. */
export function makeAuthority(openssl: string, folder: string, name: string): Identity {
  return make(openssl, folder, name, ['-addext', 'keyUsage=critical,keyCertSign']);
}

/** Of a server on 127.0.0.1 or of a client. */
export function makeIdentity(
  openssl: string,
  folder: string,
  name: string,
  authority: Identity,
): Identity {
  return make(openssl, folder, name, [
    ...['-CA', authority.certPath, '-CAkey', authority.keyPath],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  ]);
}

function make(openssl: string, folder: string, name: string, more: readonly string[]): Identity {
  const certPath = join(folder, `${name}.crt`);
  const keyPath = join(folder, `${name}.key`);
  execFileSync(
    openssl,
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', `/CN=${name}`, '-days', '2', '-keyout', keyPath, '-out', certPath],
      ...more,
    ],
    { stdio: 'pipe' },
  );
  const read = (path: string) => readFileSync(path, 'utf8');
  return { certPath, keyPath, cert: read(certPath), key: read(keyPath) };
}
