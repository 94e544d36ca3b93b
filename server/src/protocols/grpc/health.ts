import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Hub } from '../../hub.ts';
import type { Contracts } from './contracts.ts';
import type { CallHost, Method } from './served-call.ts';
import { type Answers, serverStreamMethod } from './stream-call.ts';
import { unaryMethod } from './unary-call.ts';

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

export const healthService = '/grpc.health.v1.Health';

/** grpc.health.v1 for the whole hub (the empty name) and the services of `names`. */
export function healthMethods(
  host: CallHost,
  hub: Hub,
  contracts: Contracts,
  names: readonly string[],
): readonly Method[] {
  const request = contracts.type<{ service: string }>('grpc.health.v1.HealthCheckRequest');
  const response = contracts.type('grpc.health.v1.HealthCheckResponse');
  const listRequest = contracts.type<object>('grpc.health.v1.HealthListRequest');
  const listResponse = contracts.type('grpc.health.v1.HealthListResponse');
  const known = new Set(['', ...names]);
  const places = new WatchPlaces();
  const status = async (): Promise<number> => {
    if (host.stopping.aborted) return NOT_SERVING;
    const { ready } = await hub.health();
    return ready ? SERVING : NOT_SERVING;
  };
  return [
    unaryMethod(host, `${healthService}/Check`, request, async ({ service }) => {
      if (!known.has(service)) {
        throw new HubError('not_found', `there is no service ${JSON.stringify(service)} here`);
      }
      return response.encode({ status: await status() });
    }),
    unaryMethod(host, `${healthService}/List`, listRequest, async () => {
      const current = { status: await status() };
      const statuses = Object.fromEntries([...known].map((name) => [name, current]));
      return listResponse.encode({ statuses });
    }),
    serverStreamMethod(host, `${healthService}/Watch`, request, async ({ service }, _, out) => {
      places.take(out.signal);
      const say = (current: number) => out.write(response.encode({ status: current }));
      if (!known.has(service)) {
        say(SERVICE_UNKNOWN);
        await endOf(out.signal, host.stopping);
        return;
      }
      await watch(host.clock, host.stopping, out, status, say);
    }),
  ];
}

/** Anybody may watch, so that nothing but their number bounds them. */
class WatchPlaces {
  #taken = 0;

  /** Until `gone` aborts, which it does at the end of every call. Throws `rate_limited` when all are taken. */
  take(gone: AbortSignal): void {
    if (gone.aborted) return;
    if (this.#taken >= limits.grpcHealthWatchesMax) {
      throw new HubError(
        'rate_limited',
        `${this.#taken} watch the health of this process, which is all that may: ask Check`,
        { retryAfterS: watchRetryS },
      );
    }
    this.#taken += 1;
    gone.addEventListener(
      'abort',
      () => {
        this.#taken -= 1;
      },
      { once: true },
    );
  }
}

/** When somebody may have gone. */
const watchRetryS = 10;

/** Says the state, and each change of it, until nobody listens or the hub stops. */
async function watch(
  clock: Clock,
  stopping: AbortSignal,
  out: Answers,
  status: () => Promise<number>,
  say: (current: number) => boolean,
): Promise<void> {
  const ended = AbortSignal.any([out.signal, stopping]);
  let said: number | undefined;
  while (!out.signal.aborted) {
    const current = await status();
    if (current !== said && !say(current)) await out.drained();
    said = current;
    if (stopping.aborted) break;
    await clock.sleep(limits.grpcHealthWatchMs, ended).catch(() => undefined);
  }
  if (stopping.aborted) throw new HubError('unavailable', 'the hub is stopping');
}

function endOf(...signals: readonly AbortSignal[]): Promise<void> {
  const ended = AbortSignal.any([...signals]);
  if (ended.aborted) return Promise.resolve();
  return new Promise((resolve) => ended.addEventListener('abort', () => resolve(), { once: true }));
}
