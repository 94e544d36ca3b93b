import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Handler } from '../../http/http-server.ts';
import { nothingHere } from '../../http/router.ts';
import { send, sendPage } from '../../http/send.ts';
import type { ProtocolHost } from '../../protocol.ts';
import { loadAssets } from './load-assets.ts';
import { renderPage } from './render-page.ts';

export interface Playground {
  readonly page: Handler;
  /** `GET /graphql/assets/:name`. */
  readonly asset: Handler;
}

/** GraphiQL, every file of it served by the hub. Its package is opened by the first visit. */
export function createPlayground({ hub }: ProtocolHost): Playground {
  return {
    page: async (exchange) => {
      const page = renderPage(await loadAssets(), hub.eventTypes);
      sendPage(exchange, page, { inlineStyles: true });
    },
    asset: async (exchange) => {
      const { request, response, parameter, query } = exchange;
      const asset = (await loadAssets()).get(parameter);
      if (asset === undefined) throw nothingHere();
      const zip = /\bgzip\b(?!;q=0(?:\.0*)?(?:,|$))/.test(
        String(request.headers['accept-encoding'] ?? ''),
      );
      const etag = `"${asset.tag}${zip ? '-gz' : ''}"`;
      const isPinned = query === `v=${asset.tag}`;
      const headers = {
        etag,
        vary: 'accept-encoding',
        'cache-control': isPinned ? 'public, max-age=31536000, immutable' : 'no-cache',
      };
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304, headers);
        response.end();
      } else if (zip) {
        const encoded = { ...headers, 'content-encoding': 'gzip' };
        send(exchange, 200, asset.contentType, asset.zipped, encoded);
      } else {
        const content = await promisify<Buffer, Buffer>(gunzip)(asset.zipped);
        send(exchange, 200, asset.contentType, content, headers);
      }
    },
  };
}
