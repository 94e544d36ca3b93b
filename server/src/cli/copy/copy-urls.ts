import { resolveEngineUrls, schemeOf } from '../../config/engine-urls.ts';
import { logAdapters } from '../../log/index.ts';
import { storeAdapters } from '../../store/index.ts';
import { usageError } from '../exit-code.ts';

/** Where a copy reads: a log, a store, or both. */
export interface SourceUrls {
  readonly log: string | undefined;
  readonly store: string | undefined;
}

export interface TargetUrls {
  readonly log: string;
  readonly store: string;
}

/** The URLs of `--from` and `--from-store`. Throws CommandError. */
export function sourceUrls(from: string, fromStore: string | undefined): SourceUrls {
  const isLog = Object.hasOwn(logAdapters, schemeOf(from));
  const isStore = Object.hasOwn(storeAdapters, schemeOf(from));
  if (!isLog && !isStore) {
    const schemes = new Set([...Object.keys(logAdapters), ...Object.keys(storeAdapters)]);
    throw usageError(
      `--from ${from} is no URL of a log or a store: it begins with one of ${[...schemes].map((scheme) => `${scheme}:`).join(' ')}`,
    );
  }
  if (!isLog && fromStore !== undefined) {
    throw usageError(
      '--from is a store already: leave --from-store out, or give the log as --from',
    );
  }
  if (!isLog) return { log: undefined, store: from };
  if (!isStore && fromStore === undefined) return { log: from, store: undefined };
  return pairOf('from', from, fromStore);
}

/** The URLs of `--to` and `--to-store`, a pair that a hub can run on. Throws CommandError. */
export function targetUrls(to: string, toStore: string | undefined): TargetUrls {
  return pairOf('to', to, toStore);
}

function pairOf(flag: 'from' | 'to', log: string, store: string | undefined): TargetUrls {
  const urls = resolveEngineUrls(log, store, process.cwd());
  if ('fault' in urls) {
    throw usageError(`--${flag}${urls.faultOf === 'store' ? '-store' : ''}: ${urls.fault}`);
  }
  return urls;
}
