import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { LogLevelSwitch } from '../../base/log-level.ts';
import { createLogger, type Logger } from '../../base/logger.ts';
import { maskPasswords } from '../../config/mask-passwords.ts';
import type { Settings } from '../../config/settings.ts';
import { type HubOptions, type RunningHub, startHub } from '../../main.ts';
import { version } from '../../version.ts';
import { defineCommand } from '../command.ts';
import { CommandError, type ExitCode, exitCode } from '../exit-code.ts';
import { openSettings } from '../open-settings.ts';

export const serve = defineCommand({
  name: 'serve',
  summary: 'Run the hub.',
  description:
    'Runs the hub until SIGTERM or SIGINT: then it finishes what is under way and ends within 10 s. A second signal ends it at once. One line on stdout says where it serves.',
  flags: {},
  usesSettings: true,
  handlesSignals: true,
  examples: [
    ['event-hub serve', 'on 127.0.0.1:8000 and 127.0.0.1:50051, data in ./data'],
    ['event-hub serve --http-port 0 --grpc-port 0 --log sqlite:./demo.db', 'beside another hub'],
    ['event-hub serve --event-types sale:+,storno:-,note --default-currency EUR', 'other types'],
  ],
  run: async ({ settingFlags, terminal }) => {
    const { settings } = openSettings(settingFlags, terminal);
    const logLevel = new LogLevelSwitch(settings.logLevel, systemClock);
    const logger = createLogger(logLevel);
    endOnBugs(logger);
    const stopped = stopSignal();
    const hub = await start(settings, { logger, logLevel });
    await terminal.out(`${startLine(hub, settings)}\n`);
    logger.info(startFacts(hub, settings), 'the hub serves');
    const reason = await Promise.race([stopped, hub.refused]);
    const isRefused = reason instanceof HubError;
    logger.info({ reason: isRefused ? reason.message : reason }, 'the hub stops');
    await hub.stop();
    logger.info('the hub has stopped');
    if (isRefused) throw new CommandError(exitCode.usage, reason.message);
    return exitCode.done;
  },
});

function startLine(hub: RunningHub, { log, store, roles, tls }: Settings): string {
  const places = `log ${maskPasswords(log)}, store ${maskPasswords(store)}`;
  return `event-hub ${version} ${served(hub, roles, tls !== undefined)}; roles ${[...roles].join(', ')}; ${places}; ${hub.durability}${hub.openness === '' ? '' : `; ${hub.openness}`}`;
}

/** The same for who collects logs. */
function startFacts(hub: RunningHub, { log, store, roles, logLevel }: Settings) {
  const { url, grpcAddress, metricsUrl, durability } = hub;
  return {
    version,
    url,
    ...(grpcAddress === '' ? {} : { grpc: grpcAddress }),
    ...(metricsUrl === '' ? {} : { metrics: metricsUrl }),
    roles: [...roles],
    log: maskPasswords(log),
    store: maskPasswords(store),
    durability,
    open: hub.openness !== '',
    log_level: logLevel,
  };
}

/** As `--url` and `--grpc-url` take it. */
function served(hub: RunningHub, roles: Settings['roles'], isSecure: boolean): string {
  const { url, grpcAddress, metricsUrl } = hub;
  const grpc = roles.has('grpc') ? [`gRPC on ${isSecure ? 'grpcs://' : ''}${grpcAddress}`] : [];
  const metrics = metricsUrl === '' ? '' : `, metrics on ${metricsUrl}`;
  if (roles.has('http')) return `serves ${[url, ...grpc].join(' and ')}${metrics}`;
  return `serves ${[...grpc, `health and metrics on ${url}`].join(', ')}${metrics}`;
}

async function start(settings: Settings, options: HubOptions): Promise<RunningHub> {
  try {
    return await startHub(settings, options);
  } catch (reason) {
    throw asSettingFault(reason, settings) ?? reason;
  }
}

/** What a changed setting mends is one line and the exit code of settings. */
function asSettingFault(reason: unknown, settings: Settings): CommandError | undefined {
  if (reason instanceof HubError && reason.code !== 'internal') {
    return new CommandError(exitCode.usage, reason.message);
  }
  const { code, port } = (reason ?? {}) as NodeJS.ErrnoException & { readonly port?: number };
  const why = code === undefined ? undefined : listenFaults[code];
  if (why === undefined) return undefined;
  const [name, address] =
    port !== undefined && port === settings.metrics?.port
      ? ['metrics', settings.metrics]
      : port === settings.http.port
        ? ['http', settings.http]
        : ['grpc', settings.grpc];
  const variable = `EVENT_HUB_${name.toUpperCase()}_${code === 'EADDRNOTAVAIL' ? 'HOST' : 'PORT'}`;
  const place = `${address.host}:${address.port}`;
  return new CommandError(exitCode.usage, `${place} ${why}: set ${variable} to another one`);
}

const listenFaults: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'is not allowed to this user',
  EADDRNOTAVAIL: 'is no address of this machine',
  ENOTFOUND: 'is no known host',
};

/** A signal within a second of the first one is the same wish, said twice by a terminal and a parent. */
const sameWishMs = 1_000;

/** Resolves on the first SIGTERM or SIGINT, or when the parent that launched this process is gone, with which it was. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const stop = (signal: NodeJS.Signals) => {
      const nowMs = systemClock.monotonicMs();
      firstMs ??= nowMs;
      if (nowMs - firstMs >= sameWishMs) process.exit(130);
      resolve(signal);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    if (process.channel === undefined || process.channel === null) return;
    process.once('disconnect', () => resolve('the process that started it is gone'));
    process.channel.unref();
  });
}

/** After a bug nothing is known any more; what was answered is safe on disk. */
function endOnBugs(logger: Logger): void {
  const end = (kind: string) => (reason: unknown) => {
    logger.fatal({ err: reason }, `the hub ends after an ${kind}`);
    process.exit(exitCode.refused satisfies ExitCode);
  };
  process.on('uncaughtException', end('uncaught exception'));
  process.on('unhandledRejection', end('unhandled rejection'));
}
