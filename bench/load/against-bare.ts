import { type Child, startChild } from './child.ts';
import type { HttpLoadRequest, HttpLoadResult } from './http-load-process.ts';

const connections = 64;
const rounds = 3;

export interface AgainstBare {
  /** The median over the rounds. */
  readonly ratio: number;
  readonly bare: Side;
  readonly hub: Side;
}

/** All measured rounds of one of the two. */
interface Side {
  readonly perSecond: number;
  /** Processor time for one request: of the server and of the load generator. */
  readonly cpuUs: number;
  /** The same of the engine that the hub runs on. */
  readonly engineUs: number;
}

export interface AgainstBareOptions {
  readonly seconds: number;
  /** Whether the events carry ids. */
  readonly ids: boolean;
  /** Processor time of the hub's engine so far; absent where it is in the hub's process. */
  readonly engineMs?: () => Promise<number>;
}

/**
 * Single `POST /events` on a hub against a bare `node:http` server that parses
 * the JSON and answers: alternating, so that both meet the same machine.
 */
export async function againstBareHttp(
  hub: Child,
  { seconds, ids, engineMs = async () => 0 }: AgainstBareOptions,
): Promise<AgainstBare> {
  const load = await startChild(new URL('./http-load-process.ts', import.meta.url));
  const bare = await startChild(new URL('../bare/http-server.ts', import.meta.url));
  let seed = 0;
  const round = async (child: Child, durationMs: number): Promise<Round> => {
    const { port } = child.ready as { readonly port: number };
    seed += 1;
    const request: HttpLoadRequest = { port, connections, durationMs, seed, ids };
    const before = await child.ask<{ cpuMs: number }>('cpu');
    const engineBeforeMs = await engineMs();
    const result = await load.ask<HttpLoadResult>(request);
    const { cpuMs } = await child.ask<{ cpuMs: number }>('cpu');
    if (result.refused > 0) throw new Error(`${result.refused} answers were refusals`);
    return {
      ...result,
      cpuMs: result.cpuMs + cpuMs - before.cpuMs,
      engineMs: (await engineMs()) - engineBeforeMs,
    };
  };
  await round(bare, 2_000);
  await round(hub, 3_000);
  const bareRounds: Round[] = [];
  const hubRounds: Round[] = [];
  for (let at = 0; at < rounds; at += 1) {
    bareRounds.push(await round(bare, (seconds * 1_000) / rounds));
    hubRounds.push(await round(hub, (seconds * 1_000) / rounds));
  }
  await Promise.all([load.stop(), bare.stop()]);
  const ratios = hubRounds.map(({ perSecond }, at) => perSecond / (bareRounds[at]?.perSecond ?? 1));
  return {
    ratio: ratios.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0,
    bare: sideOf(bareRounds),
    hub: sideOf(hubRounds),
  };
}

interface Round {
  readonly answers: number;
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly engineMs: number;
}

function sideOf(measured: readonly Round[]): Side {
  const sum = (key: keyof Round) => measured.reduce((total, each) => total + each[key], 0);
  return {
    perSecond: sum('perSecond') / measured.length,
    cpuUs: (sum('cpuMs') * 1_000) / sum('answers'),
    engineUs: (sum('engineMs') * 1_000) / sum('answers'),
  };
}
