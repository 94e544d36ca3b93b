import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { limits } from './limits.ts';

/** The contents of the files that a server proves itself with, and knows its clients by. */
export interface TlsFiles {
  /** The server's certificate in PEM, with those between it and its authority behind it. */
  readonly cert: string;
  /** The private key of that certificate in PEM, without a passphrase. */
  readonly key: string;
  /** The authorities in PEM whose certificates a client must show one of; absent: clients show none. */
  readonly clientCa: string | undefined;
}

/** Files that are read again when they change, for servers that go on meanwhile. */
export interface TlsSource {
  readonly current: TlsFiles;
  /** Calls `listener` with the files that replace the current ones; only ever with files that `tlsFaultOf` finds nothing in. */
  onReload(listener: (files: TlsFiles) => void): void;
}

/** Why nobody can serve with these, and which of them is at fault; undefined when one can. */
export function tlsFaultOf(
  files: TlsFiles,
): { readonly file: keyof TlsFiles; readonly why: string } | undefined {
  const { cert, key, clientCa } = files;
  if (!isCertificate(cert)) return { file: 'cert', why: 'is no certificate in PEM' };
  const keyFault = keyFaultOf(key, cert);
  if (keyFault !== undefined) return { file: 'key', why: keyFault };
  if (clientCa !== undefined && !isCertificate(clientCa)) {
    return { file: 'clientCa', why: 'is no certificate in PEM' };
  }
  try {
    createSecureContext(secureContextOf(files));
    return undefined;
  } catch (reason) {
    return { file: 'cert', why: `cannot be used: ${(reason as Error).message}` };
  }
}

/** The end of the certificate's validity, as it is written there: `Nov 26 03:00:00 2027 GMT`. */
export function expiryOf({ cert }: TlsFiles): { readonly text: string; readonly atMs: number } {
  const { validTo, validToDate } = new X509Certificate(cert);
  return { text: validTo, atMs: validToDate.getTime() };
}

/** What changes with the files. */
export function secureContextOf({ cert, key, clientCa }: TlsFiles): SecureContextOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  };
}

/** The same with what a server keeps. */
export function tlsServerOptions(files: TlsFiles): TlsOptions {
  const asksClients = files.clientCa !== undefined;
  return {
    ...secureContextOf(files),
    requestCert: asksClients,
    rejectUnauthorized: asksClients,
    handshakeTimeout: limits.headersTimeoutMs,
  };
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

function keyFaultOf(key: string, cert: string): string | undefined {
  if (/ENCRYPTED/.test(key)) return 'has a passphrase: the hub takes a key without one';
  try {
    const isOfCertificate = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
    return isOfCertificate ? undefined : 'is not the key of the certificate';
  } catch {
    return 'is no private key in PEM';
  }
}
