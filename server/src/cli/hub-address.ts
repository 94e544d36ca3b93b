import { isLoopback as isLoopbackHost } from '../base/loopback.ts';
import { commandLineEnv } from '../config/command-line-env.ts';
import { environment } from '../config/environment.ts';
import { clientCertificate } from './client-certificate.ts';
import type { HubAddress } from './clients/open-client.ts';
import type { Flag } from './command.ts';
import { credential } from './credential.ts';
import { usageError } from './exit-code.ts';

const urlDefault = 'http://127.0.0.1:8000';
const grpcUrlDefault = '127.0.0.1:50051';

export const addressFlags = {
  url: {
    kind: 'text',
    value: 'URL',
    help: `Where the hub is. (${commandLineEnv.url}, else ${urlDefault})`,
  },
  'grpc-url': {
    kind: 'text',
    value: 'HOST:PORT',
    help: `Where its gRPC is. (${commandLineEnv.grpcUrl}, else ${grpcUrlDefault})`,
  },
} as const satisfies Record<string, Flag>;

export function hubAddress(flags: {
  readonly url: string | undefined;
  readonly 'grpc-url'?: string | undefined;
}): HubAddress {
  const env = environment();
  const url = flags.url ?? (env[commandLineEnv.url] || urlDefault);
  const grpcUrl = flags['grpc-url'] ?? (env[commandLineEnv.grpcUrl] || grpcUrlDefault);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw usageError(
      `'${url}' is no URL of a hub: set --url or ${commandLineEnv.url}, as in ${urlDefault}`,
    );
  }
  if (!/^([a-z]+:\/\/)?[^/\s]+:\d{1,5}\/?$/.test(grpcUrl)) {
    throw usageError(
      `'${grpcUrl}' is no host and port: set --grpc-url or ${commandLineEnv.grpcUrl}, as in ${grpcUrlDefault}`,
    );
  }
  return { url, grpcUrl, credential: credential(), tls: clientCertificate() };
}

/** Whether both addresses are this machine's own. */
export function isLoopback({ url, grpcUrl }: HubAddress): boolean {
  const grpcHost = grpcUrl.replace(/^[a-z]+:\/\//, '').replace(/:\d+\/?$/, '');
  return [new URL(url).hostname, grpcHost].every(isLoopbackHost);
}
