import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Exchange } from '../http/http-server.ts';
import { nothingHere } from '../http/router.ts';
import { send } from '../http/send.ts';

/** Every file that a page loads, by its name under `/docs/assets/`. */
const assets = {
  'pages.css': own('pages.css', 'text/css; charset=utf-8'),
  'docs.js': own('docs.js', 'text/javascript; charset=utf-8'),
  'icon.svg': own('icon.svg', 'image/svg+xml'),
  'swagger-ui.css': swagger('swagger-ui.css', 'text/css; charset=utf-8'),
  'swagger-ui-bundle.js': swagger('swagger-ui-bundle.js', 'text/javascript; charset=utf-8'),
} satisfies Record<string, Asset>;

export type AssetName = keyof typeof assets;

/** Where a page finds a file. The content's fingerprint is in the URL, so that browsers may keep it for ever. */
export async function assetUrl(name: AssetName): Promise<string> {
  const { tag } = await load(name);
  return `/docs/assets/${name}?v=${tag}`;
}

/** `GET /docs/assets/:name`. */
export async function getAsset(exchange: Exchange): Promise<void> {
  const name = exchange.parameter;
  if (!isAssetName(name)) throw nothingHere();
  const { contentType, content, zipped, tag } = await load(name);
  const zip = acceptsGzip(exchange);
  const etag = `"${tag}${zip ? '-gz' : ''}"`;
  const headers = {
    etag,
    vary: 'accept-encoding',
    'cache-control':
      exchange.query === `v=${tag}` ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  if (exchange.request.headers['if-none-match'] === etag) {
    exchange.response.writeHead(304, headers);
    exchange.response.end();
    return;
  }
  const encoding = zip ? { 'content-encoding': 'gzip' } : {};
  send(exchange, 200, contentType, zip ? zipped : content, { ...headers, ...encoding });
}

interface Asset {
  readonly path: () => string;
  readonly contentType: string;
}

interface LoadedAsset {
  readonly contentType: string;
  readonly content: Buffer;
  readonly zipped: Buffer;
  readonly tag: string;
}

const loaded = new Map<AssetName, Promise<LoadedAsset>>();

/** Reads a file when it is first asked for, and keeps it. */
function load(name: AssetName): Promise<LoadedAsset> {
  let asset = loaded.get(name);
  if (asset === undefined) {
    asset = read(assets[name]);
    loaded.set(name, asset);
    asset.catch(() => loaded.delete(name));
  }
  return asset;
}

async function read({ path, contentType }: Asset): Promise<LoadedAsset> {
  const content = await readFile(path());
  const zipped = await promisify(gzip)(content);
  const tag = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { contentType, content, zipped, tag };
}

function own(file: string, contentType: string): Asset {
  return { path: () => join(import.meta.dirname, 'assets', file), contentType };
}

function swagger(file: string, contentType: string): Asset {
  const folder = () =>
    dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return { path: () => join(folder(), file), contentType };
}

function isAssetName(name: string): name is AssetName {
  return Object.hasOwn(assets, name);
}

function acceptsGzip({ request }: Exchange): boolean {
  return /\bgzip\b(?!;q=0(?:\.0*)?(?:,|$))/.test(String(request.headers['accept-encoding'] ?? ''));
}
