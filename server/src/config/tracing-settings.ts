import {
  type BatchNumber,
  type SamplerSettings,
  samplerNames,
  type TracingProtocol,
  type TracingSettings,
  tracingProtocols,
} from '../tracing/tracing-settings.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Traces by OpenTelemetry's own variables; undefined unless they ask for them.
 * They are often set for all programs of a machine alike, so that one which the
 * hub has no use for is a warning, as the specification wants it, and no fault.
 * Endpoint, headers, times and certificates the exporter reads by itself: their
 * values, which may be secret, are never in the hub's settings.
 */
export function readTracingSettings(env: Env, warnings: string[]): TracingSettings | undefined {
  if (givenIn(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  if (!isAskedFor(env, warnings)) return undefined;
  const protocol = readProtocol(env, warnings);
  if (!isReachable(env, protocol, warnings)) return undefined;
  return {
    protocol,
    sampler: readSampler(env, warnings),
    batch: readBatch(env, warnings),
  };
}

function isAskedFor(env: Env, warnings: string[]): boolean {
  const exporters = givenIn(env, 'OTEL_TRACES_EXPORTER')
    ?.split(',')
    .map((name) => name.trim());
  if (exporters === undefined) {
    return (
      givenIn(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') !== undefined ||
      givenIn(env, 'OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined
    );
  }
  if (exporters.includes('none')) return false;
  if (exporters.some((name) => name !== 'otlp')) {
    warnings.push(unknown('OTEL_TRACES_EXPORTER', ['otlp', 'none'], 'any other does nothing'));
  }
  return exporters.includes('otlp');
}

function readProtocol(env: Env, warnings: string[]): TracingProtocol {
  const own = 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL';
  const name = givenIn(env, own) === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : own;
  return oneOf(env, name, tracingProtocols, 'http/protobuf', warnings);
}

/** Whether the endpoint is one: else the exporter would take the usual one in its place, and say nothing. */
function isReachable(env: Env, protocol: TracingProtocol, warnings: string[]): boolean {
  const own = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const name = givenIn(env, own) === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : own;
  const endpoint = givenIn(env, name);
  if (endpoint === undefined) return true;
  // gRPC may do without the scheme.
  const mayBeBare = protocol === 'grpc' && !endpoint.includes('://');
  const url = URL.parse(mayBeBare ? `https://${endpoint}` : endpoint);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return true;
  warnings.push(`env ${name} is no http:// or https:// URL: nothing is traced`);
  return false;
}

function readSampler(env: Env, warnings: string[]): SamplerSettings {
  const name = oneOf(env, 'OTEL_TRACES_SAMPLER', samplerNames, 'parentbased_always_on', warnings);
  if (!name.endsWith('traceidratio')) return { name, ratio: 1 };
  const ratio = Number(givenIn(env, 'OTEL_TRACES_SAMPLER_ARG') ?? 1);
  if (ratio >= 0 && ratio <= 1) return { name, ratio };
  warnings.push('env OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1: 1 is taken');
  return { name, ratio: 1 };
}

const batchVariables = {
  OTEL_BSP_SCHEDULE_DELAY: 'scheduledDelayMillis',
  OTEL_BSP_EXPORT_TIMEOUT: 'exportTimeoutMillis',
  OTEL_BSP_MAX_QUEUE_SIZE: 'maxQueueSize',
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: 'maxExportBatchSize',
} as const satisfies Record<string, BatchNumber>;

function readBatch(env: Env, warnings: string[]): TracingSettings['batch'] {
  const batch: Partial<Record<BatchNumber, number>> = {};
  for (const [name, member] of Object.entries(batchVariables)) {
    const text = givenIn(env, name);
    if (text === undefined) continue;
    if (/^[1-9]\d{0,8}$/.test(text)) batch[member] = Number(text);
    else warnings.push(`env ${name} is no whole number above 0: the default is taken`);
  }
  return batch;
}

function oneOf<const T extends string>(
  env: Env,
  name: string,
  known: readonly T[],
  otherwise: T,
  warnings: string[],
): T {
  const value = givenIn(env, name);
  if (value === undefined) return otherwise;
  const found = known.find((each) => each === value);
  if (found === undefined) warnings.push(unknown(name, known, `${otherwise} is taken`));
  return found ?? otherwise;
}

function unknown(name: string, known: readonly string[], instead: string): string {
  return `env ${name}: the hub knows ${known.join(', ')}; ${instead}`;
}

/** An empty variable counts as absent. */
function givenIn(env: Env, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}
