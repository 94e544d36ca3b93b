import { once } from 'node:events';
import type { Settings } from '../../src/config/settings.ts';
import { type RunningCli, startCli } from './run-cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** `event-hub serve` in a process of its own. */
export interface HubProcess {
  readonly pid: number;
  /** Of HTTP: in every role. */
  readonly url: string;
  /** Empty where gRPC is not served. */
  readonly grpcAddress: string;
  readonly startLine: string;
  readonly cli: RunningCli;
  /** The value of a metric, over all its labels. */
  metric(name: string): Promise<number | undefined>;
  readiness(): Promise<{ readonly status: number; readonly text: string }>;
  /** Resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export async function startHubProcess(
  engines: Pick<Settings, 'log' | 'store'>,
  roles: string,
  env: Readonly<Record<string, string>> = {},
): Promise<HubProcess> {
  const folder = temporaryFolder();
  const cli = startCli(['serve', '--http-port=0', '--grpc-port=0', `--roles=${roles}`], {
    folder: folder.path,
    env: {
      EVENT_HUB_LOG: engines.log,
      EVENT_HUB_STORE: engines.store,
      EVENT_HUB_LOG_LEVEL: 'debug',
      ...env,
    },
  });
  void once(cli.process, 'close').then(() => folder.remove());
  const startLine = await cli.until(/^event-hub .*\n/);
  const url = /http:\/\/[^ ;]+/.exec(startLine)?.[0] ?? '';
  const grpcAddress = /gRPC on ([^ ;,]+)/.exec(startLine)?.[1] ?? '';
  return {
    pid: cli.process.pid ?? 0,
    url,
    grpcAddress,
    startLine,
    cli,
    metric: async (name) => {
      const page = await (await fetch(`${url}/metrics`)).text();
      const values = [
        ...page.matchAll(new RegExp(`^event_hub_${name}(?:\\{.*\\})? (\\S+)$`, 'gm')),
      ];
      return values.length === 0
        ? undefined
        : values.reduce((sum, [, value]) => sum + Number(value), 0);
    },
    readiness: async () => {
      const response = await fetch(`${url}/readyz?verbose`);
      return { status: response.status, text: await response.text() };
    },
    stop: async (signal = 'SIGTERM') => {
      cli.process.kill('SIGCONT');
      cli.process.kill(signal);
      return (await cli.result).code;
    },
  };
}
