import type { Health } from '../../hub.ts';
import type { Exchange } from '../http/http-server.ts';
import { parseParameters } from '../http/query-parameters.ts';
import { send, sendJson } from '../http/send.ts';
import type { ProtocolHost } from '../protocol.ts';

/** `GET /livez`: the process turns its loop. Says nothing of the engines, so that a dead one does not restart the hub. */
export function getLiveness(exchange: Exchange): void {
  parseParameters(exchange.query, { single: ['verbose'] });
  sendJson(exchange, 200, '{"status":"ok"}');
}

/** `GET /readyz`: 200 while events are taken at the stated durability, else 503; with `?verbose` a line for each part. */
export function getReadiness({ hub }: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    const { verbose } = parseParameters(exchange.query, { single: ['verbose'] });
    const health = await hub.health();
    const status = health.ready ? 200 : 503;
    const headers = {
      'cache-control': 'no-store',
      ...(health.ready ? {} : { 'retry-after': '1' }),
    };
    if (verbose === undefined || verbose === 'false') {
      send(exchange, status, 'application/json', healthJson(health), headers);
    } else send(exchange, status, 'text/plain; charset=utf-8', healthLines(health), headers);
  };
}

function healthJson({ ready, durability, parts }: Health): string {
  return JSON.stringify({ status: ready ? 'ok' : 'not ready', durability, parts });
}

function healthLines({ ready, durability, parts }: Health): string {
  const lines = parts.map(({ name, ok, detail, advice = '' }) =>
    ok
      ? `[+]${name} ok${detail === '' || detail === 'ok' ? '' : `: ${detail}`}`
      : `[-]${name} failed: ${detail}${advice === '' ? '' : `; what to do: ${advice}`}`,
  );
  return `${[...lines, `durability: ${durability}`, ready ? 'ready' : 'not ready'].join('\n')}\n`;
}
