import type { Exchange } from '../http/http-server.ts';
import { send, sendPage } from '../http/send.ts';
import type { Protocol } from '../protocol.ts';
import { openApiDocument } from '../rest/openapi/document.ts';
import { errorsPage } from './errors-page.ts';
import { homePage } from './home-page.ts';
import { assetUrl, getAsset } from './page-assets.ts';
import { referencePage } from './reference-page.ts';

/** The pages: what there is, the REST reference and the errors. Nothing on them leaves the hub. */
export const docsProtocol: Protocol = {
  name: 'docs',
  role: 'http',
  start: async ({ http, hub, version }) => {
    const eventTypes = [...hub.eventTypes.keys()];
    let openApi: string | undefined;
    http.route('GET', '/', async (exchange) => {
      const { durability } = await hub.health();
      const eventType = eventTypes[0] ?? 'purchase';
      sendPage(
        exchange,
        await homePage({ version, durability, host: hostOf(exchange), eventType }),
      );
    });
    http.route('GET', '/docs', async (exchange) =>
      sendPage(exchange, await referencePage(), { inlineStyles: true }),
    );
    http.route('GET', '/docs/errors', async (exchange) => sendPage(exchange, await errorsPage()));
    http.route('GET', '/docs/assets/:name', getAsset);
    http.route('GET', '/favicon.ico', async ({ response }) => {
      response.writeHead(302, {
        location: await assetUrl('icon.svg'),
        'cache-control': 'no-cache',
      });
      response.end();
    });
    http.route('GET', '/openapi.json', (exchange) => {
      openApi ??= JSON.stringify(openApiDocument({ version, eventTypes }), undefined, 2);
      send(exchange, 200, 'application/json', openApi, { 'cache-control': 'no-cache' });
    });
    return { stop: async () => {} };
  },
};

/** The host as the browser names it; anything that is no host name is left out of the page. */
function hostOf({ request }: Exchange): string {
  const host = request.headers.host ?? '';
  return /^[A-Za-z0-9.:[\]-]+$/.test(host) ? host : '127.0.0.1:8000';
}
