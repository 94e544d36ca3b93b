import { readFile } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { expiryOf, type TlsFiles, type TlsSource, tlsFaultOf } from '../base/tls-source.ts';
import type { Settings } from '../config/settings.ts';

export interface WatchedTlsFiles extends TlsSource {
  stop(): void;
}

interface WatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

type Paths = NonNullable<Settings['tls']>;

/**
 * The files of `tls`, looked at every few seconds by their content: what puts
 * new certificates in place swaps links, which no notice of the file system
 * tells reliably. New ones are taken when they go together; until then the
 * old ones stay, and one line says why. Rejects with `invalid` when the first
 * ones are no good.
 */
export async function watchTlsFiles(paths: Paths, options: WatchOptions): Promise<WatchedTlsFiles> {
  const { clock, logger } = options;
  const listeners: ((files: TlsFiles) => void)[] = [];
  let current = await readTlsFiles(paths);
  const fault = faultOf(current, paths);
  if (fault !== undefined) throw new HubError('invalid', fault);
  warnOfExpiry(current, paths, options);

  let refused = '';
  let isLooking = false;
  const look = async () => {
    const found = await readTlsFiles(paths).catch((reason: HubError) => reason);
    const why = found instanceof HubError ? found.message : faultOf(found, paths);
    if (why !== undefined || found instanceof HubError) {
      const state = JSON.stringify(found instanceof HubError ? why : found);
      if (state !== refused) logger.error(`the certificates are not reloaded: ${why}`);
      refused = state;
      return;
    }
    refused = '';
    if (isSame(found, current)) return;
    current = found;
    for (const listener of listeners) listener(found);
    logger.info({ cert: paths.cert, valid_to: expiryOf(found).text }, 'certificates reloaded');
    warnOfExpiry(found, paths, options);
  };
  const stop = clock.every(limits.tlsReloadMs, () => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  });

  return {
    get current() {
      return current;
    },
    onReload: (listener) => {
      listeners.push(listener);
    },
    stop,
  };
}

async function readTlsFiles({ cert, key, clientCa }: Paths): Promise<TlsFiles> {
  const read = async (name: keyof TlsFiles, path: string) => {
    try {
      return await readFile(path, 'utf8');
    } catch (reason) {
      const { code, message } = reason as NodeJS.ErrnoException;
      throw new HubError('invalid', `tls.${name} ${path} cannot be read: ${code ?? message}`);
    }
  };
  return {
    cert: await read('cert', cert),
    key: await read('key', key),
    clientCa: clientCa === undefined ? undefined : await read('clientCa', clientCa),
  };
}

function faultOf(files: TlsFiles, paths: Paths): string | undefined {
  const fault = tlsFaultOf(files);
  return fault && `tls.${fault.file} ${paths[fault.file]} ${fault.why}`;
}

function isSame(one: TlsFiles, other: TlsFiles): boolean {
  return one.cert === other.cert && one.key === other.key && one.clientCa === other.clientCa;
}

function warnOfExpiry(files: TlsFiles, { cert }: Paths, { clock, logger }: WatchOptions): void {
  const { text, atMs } = expiryOf(files);
  if (atMs > clock.now()) return;
  logger.warn(`the certificate ${cert} has expired (${text}): clients will refuse it`);
}
