import { ServerCredentials } from '@grpc/grpc-js';
import { secureContextOf, type TlsSource, tlsServerOptions } from '../../base/tls-source.ts';

/** Certificates that change while the server runs: calls under way keep their connections, new connections get the new ones. */
export class TlsCredentials extends ServerCredentials {
  constructor(tls: TlsSource) {
    super(tlsServerOptions(tls.current), secureContextOf(tls.current));
    tls.onReload((files) => this.updateSecureContextOptions(secureContextOf(files)));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
