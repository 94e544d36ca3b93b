import { Worker } from 'node:worker_threads';

/** A file of the playground, kept compressed: unpacked they are 9 MB. */
export interface Asset {
  readonly contentType: string;
  readonly zipped: Buffer;
  /** The content's fingerprint: in the URL it lets browsers keep the file for ever. */
  readonly tag: string;
}

/** As the thread posts it. */
export interface PostedAsset {
  readonly name: string;
  readonly contentType: string;
  readonly zipped: Uint8Array;
  readonly tag: string;
}

let loading: Promise<ReadonlyMap<string, Asset>> | undefined;

/**
 * The playground's files by name. A thread of its own opens the package and
 * compresses what is in it, so that events do not wait, and gives the memory
 * back. Done once per process, and again after a failure.
 */
export function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  if (loading === undefined) {
    loading = unpack();
    loading.catch(() => {
      loading = undefined;
    });
  }
  return loading;
}

function unpack(): Promise<ReadonlyMap<string, Asset>> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(threadFile());
    thread.unref();
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the thread ended with ${code}`)));
    thread.once('message', (posted: readonly PostedAsset[]) => {
      resolve(
        new Map(
          posted.map(({ name, contentType, zipped, tag }) => [
            name,
            { contentType, zipped: Buffer.from(zipped.buffer), tag },
          ]),
        ),
      );
    });
  });
}

/** Built, the file is JavaScript like this one. */
function threadFile(): URL {
  const source = './unpack-assets.ts';
  const isBuilt = import.meta.url.endsWith('.js');
  return new URL(isBuilt ? source.replace(/ts$/, 'js') : source, import.meta.url);
}
