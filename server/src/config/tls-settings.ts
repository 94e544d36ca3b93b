import { resolve } from 'node:path';
import { type TlsFiles, tlsFaultOf } from '../base/tls-source.ts';
import type { Settings } from './settings.ts';

type Paths = Partial<Record<keyof TlsFiles, string | undefined>>;

export interface TlsSettingsOptions {
  /** Where relative paths start. */
  readonly folder: string;
  readonly sourceOf: (path: string) => string;
  readonly readText: (path: string) => string;
  /** Takes what is wrong, each with its source. */
  readonly faults: string[];
}

/** Absolute paths of files that go together; undefined where there are none, or a fault. */
export function resolveTls(given: Paths, options: TlsSettingsOptions): Settings['tls'] {
  const { folder, sourceOf, faults } = options;
  const first = names.find((name) => given[name] !== undefined);
  if (first === undefined) return undefined;
  const absent = (['cert', 'key'] as const).filter((name) => given[name] === undefined);
  if (given.cert === undefined || given.key === undefined) {
    const needed = absent.map((name) => `tls.${name}`).join(' and ');
    faults.push(`${sourceOf(`tls.${first}`)}: needs ${needed} beside it`);
    return undefined;
  }
  const paths = {
    cert: resolve(folder, given.cert),
    key: resolve(folder, given.key),
    clientCa: given.clientCa === undefined ? undefined : resolve(folder, given.clientCa),
  };
  const cert = read('cert', paths.cert, options);
  const key = read('key', paths.key, options);
  const clientCa =
    paths.clientCa === undefined ? undefined : read('clientCa', paths.clientCa, options);
  if (cert === undefined || key === undefined) return undefined;
  const fault = tlsFaultOf({ cert, key, clientCa });
  if (fault !== undefined) {
    faults.push(`${sourceOf(`tls.${fault.file}`)}: ${paths[fault.file]} ${fault.why}`);
  }
  return paths;
}

const names = ['cert', 'key', 'clientCa'] as const;

function read(
  name: keyof TlsFiles,
  path: string,
  { sourceOf, readText, faults }: TlsSettingsOptions,
): string | undefined {
  try {
    return readText(path);
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    faults.push(`${sourceOf(`tls.${name}`)}: the file cannot be read: ${why}`);
    return undefined;
  }
}
