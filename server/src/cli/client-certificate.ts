import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { commandLineEnv } from '../config/command-line-env.ts';
import { environment } from '../config/environment.ts';
import { usageError } from './exit-code.ts';

/** What commands that talk to a hub prove themselves with, where it asks for a certificate: the files that two variables name. */
export function clientCertificate(): ConnectionOptions | undefined {
  const env = environment();
  const { clientCert, clientKey } = commandLineEnv;
  const [certPath, keyPath] = [env[clientCert], env[clientKey]];
  if (!certPath && !keyPath) return undefined;
  if (!certPath || !keyPath) throw usageError(`${clientCert} and ${clientKey} go together`);
  return { cert: read(clientCert, certPath), key: read(clientKey, keyPath) };
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    throw usageError(`${variable}: the file cannot be read: ${why}`);
  }
}
