import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineProcess, freeEnginePort } from './engines/engine-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** One time series as it is now. */
export interface Sampled {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus of our own on 127.0.0.1 that scrapes these hubs five times a second. */
export interface PrometheusServer {
  /** By its HTTP API. */
  query(expression: string): Promise<readonly Sampled[]>;
  remove(): Promise<void>;
}

export async function startPrometheus(
  program: string,
  urls: readonly string[],
): Promise<PrometheusServer> {
  const folder = temporaryFolder();
  const port = await freeEnginePort();
  const file = join(folder.path, 'prometheus.yml');
  const targets = urls.map((url) => new URL(url).host);
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({
      global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
      scrape_configs: [{ job_name: 'event-hub', static_configs: [{ targets }] }],
    }),
  );
  const process = new EngineProcess(
    { kind: 'program', path: program },
    {
      program: 'prometheus',
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder.path, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      port,
      folder: folder.path,
      ready: /Server is ready to receive web requests/,
    },
  );
  const remove = async () => {
    await process.end('SIGTERM');
    folder.remove();
  };
  try {
    await process.start();
  } catch (reason) {
    await remove();
    throw reason;
  }
  return { query: (expression) => query(`http://127.0.0.1:${port}`, expression), remove };
}

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

async function query(url: string, expression: string): Promise<readonly Sampled[]> {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
  const answer = (await response.json()) as QueryAnswer;
  if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
  return answer.data.result.map(({ metric, value: [, value] }) => ({
    labels: metric,
    value: Number(value),
  }));
}
