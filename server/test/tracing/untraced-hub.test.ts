import { describe, expect, it } from 'vitest';
import { startHubProcess } from '../support/hub-process.ts';
import { startCollector } from '../support/otlp/collector.ts';
import { openStream } from '../support/read-stream.ts';
import { anInput, postEvents } from '../support/rest-calls.ts';

/** Says on stderr which of OpenTelemetry's packages the process loads, by whatever way. */
const watchPackages = `--import=data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(name, context, next) {
      const found = next(name, context);
      const [, own] = /node_modules\\/(@opentelemetry\\/[^/]+)/.exec(found.url) ?? [];
      if (own !== undefined) process.stderr.write('loads ' + own + '\\n');
      return found;
    },
  });
`)}`;

const embedded = { log: 'sqlite:./data/hub.db', store: 'sqlite:./data/hub.db' };

/** What a hub with these variables loads, having taken an event and given it to a subscriber. */
async function loadedBy(env: Readonly<Record<string, string>>): Promise<ReadonlySet<string>> {
  const hub = await startHubProcess(embedded, 'http,grpc,readers', {
    ...env,
    NODE_OPTIONS: watchPackages,
  });
  const stream = await openStream(`${hub.url}/events/stream`);
  await stream.frame('caught-up');
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  expect((await postEvents(hub.url, anInput(), { traceparent })).status).toBe(201);
  await stream.frame('');
  await stream.close();
  await hub.stop();
  const { stderr } = await hub.cli.result;
  return new Set(stderr.match(/(?<=^loads ).*$/gm) ?? []);
}

describe('a hub that is not traced', () => {
  it.each([
    ['nothing is asked for', {}],
    [
      'traces are disabled',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' },
    ],
  ])('loads nothing of OpenTelemetry where %s', async (_, env: Record<string, string>) => {
    expect(await loadedBy(env)).toEqual(new Set());
  });

  it('would be seen to load it, as one that is traced does', async () => {
    const collector = await startCollector();
    const loaded = await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await collector.close();
    expect(loaded).toContain('@opentelemetry/sdk-trace');
    expect(loaded).toContain('@opentelemetry/exporter-trace-otlp-proto');
    expect(loaded).not.toContain('@opentelemetry/exporter-trace-otlp-grpc');
    expect(collector.spans.map(({ name }) => name)).toContain('deliver events');
  });
});
