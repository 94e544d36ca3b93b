import { describe, expect, it } from 'vitest';
import { readTracingSettings } from '../../src/config/tracing-settings.ts';
import { runCli } from '../support/run-cli.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

function read(env: Readonly<Record<string, string>>) {
  const warnings: string[] = [];
  return { tracing: readTracingSettings(env, warnings), warnings };
}

describe('the variables of traces', () => {
  it.each([
    ['nothing is set', {}],
    ['they are empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: '' }],
    ['only metrics have a place', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://a:1' }],
    ['the SDK is disabled', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }],
    ['no exporter is wanted', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
    [
      'the SDK is disabled and one is wanted',
      { OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'otlp' },
    ],
  ])('ask for none where %s', (_, env: Record<string, string>) => {
    expect(read(env)).toEqual({ tracing: undefined, warnings: [] });
  });

  it.each([
    ['of all signals', endpoint],
    ['of traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces' }],
    ['that is the usual one', { OTEL_TRACES_EXPORTER: 'otlp' }],
    ['with the SDK not disabled', { ...endpoint, OTEL_SDK_DISABLED: 'false' }],
  ])('ask for them by an endpoint %s', (_, env: Record<string, string>) => {
    expect(read(env)).toEqual({
      tracing: {
        protocol: 'http/protobuf',
        sampler: { name: 'parentbased_always_on', ratio: 1 },
        batch: {},
      },
      warnings: [],
    });
  });

  it('say how, and how many', () => {
    expect(
      read({
        ...endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.25',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_BSP_EXPORT_TIMEOUT: '200',
        OTEL_BSP_MAX_QUEUE_SIZE: '300',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '50',
      }),
    ).toEqual({
      tracing: {
        protocol: 'grpc',
        sampler: { name: 'parentbased_traceidratio', ratio: 0.25 },
        batch: {
          scheduledDelayMillis: 100,
          exportTimeoutMillis: 200,
          maxQueueSize: 300,
          maxExportBatchSize: 50,
        },
      },
      warnings: [],
    });
  });

  it('that the hub has no use for are said, and the usual holds', () => {
    const { tracing, warnings } = read({
      OTEL_TRACES_EXPORTER: 'console,otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: 'half',
      OTEL_BSP_MAX_QUEUE_SIZE: '-1',
    });
    expect(tracing).toEqual({
      protocol: 'http/protobuf',
      sampler: { name: 'traceidratio', ratio: 1 },
      batch: {},
    });
    expect(warnings).toEqual([
      'env OTEL_TRACES_EXPORTER: the hub knows otlp, none; any other does nothing',
      'env OTEL_EXPORTER_OTLP_PROTOCOL: the hub knows http/protobuf, grpc; http/protobuf is taken',
      'env OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1: 1 is taken',
      'env OTEL_BSP_MAX_QUEUE_SIZE is no whole number above 0: the default is taken',
    ]);
  });

  it.each([
    ['localhost:4318', 'http/protobuf', false],
    ['not a url', 'http/protobuf', false],
    ['ftp://localhost', 'grpc', false],
    ['not a url', 'grpc', false],
    ['https://collector.example.com/otlp', 'http/protobuf', true],
    ['localhost:4317', 'grpc', true],
    ['http://[::1]:4317', 'grpc', true],
  ])('name an endpoint that is one, or nothing is traced: %s by %s', (url, protocol, isOne) => {
    const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
    for (const name of names) {
      const env = { [name]: url, OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
      const { tracing, warnings } = read({ OTEL_TRACES_EXPORTER: 'otlp', ...env });
      expect(tracing?.protocol).toBe(isOne ? protocol : undefined);
      const warning = `env ${name} is no http:// or https:// URL: nothing is traced`;
      expect(warnings).toEqual(isOne ? [] : [warning]);
    }
  });

  it('are printed by no command, secret or not', async () => {
    const env = {
      ...endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20s3cret',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-key=s3cret',
      OTEL_EXPORTER_OTLP_PROTOCOL: 's3cret',
    };
    const { code, stdout, stderr } = await runCli(['config', 'print'], { env });
    expect(code).toBe(0);
    expect(stderr).toContain('env OTEL_EXPORTER_OTLP_PROTOCOL: the hub knows');
    expect(stdout + stderr).not.toContain('s3cret');
  });
});
