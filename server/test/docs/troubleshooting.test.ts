import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDocument } from '../support/document-steps.ts';
import { get, postEvents } from '../support/rest-calls.ts';
import { runCli } from '../support/run-cli.ts';
import { readSources } from '../support/source-files.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

const page = readDocument('docs/troubleshooting.md');
const messages = [...page.matchAll(/^> (.+)$/gm)].map(([, message = '']) => message);
const sources = readSources('server/src/**/*.ts').map(({ literals }) => [...literals]);

const event = { id: 'order-1', user_id: 'anna', event_type: 'purchase', amount: '1' };

/** Messages that a hub can be brought to say at once, by how they begin on the page. */
const said: Readonly<Record<string, (hub: TestHub) => Promise<string>>> = {
  '… is taken': async ({ url, folder }) => await serve(folder, new URL(url).port),
  'another hub runs': async ({ settings, folder }) => await serve(folder, '0', settings.log),
  'the media type': ({ url }) => refusal(url, '{}', formType),
  'timestamp has no offset': ({ url }) =>
    refusal(url, { ...event, timestamp: '2026-03-15T12:00:00' }),
  '… has a blank': async ({ url }) =>
    (await get(url, '/aggregates?from=2026-03-15T12:00:00+03:00')).json.detail,
  'amount has … decimals': ({ url }) => refusal(url, { ...event, amount: 0.1 + 0.2 }),
  'amount has … significant': ({ url }) =>
    refusal(url, '{"user_id":"a","event_type":"refund","amount":12345678901.123456}'),
  'amount is negative': ({ url }) => refusal(url, { ...event, amount: -1 }),
  '… is not a field': ({ url }) => refusal(url, { ...event, amout: 1 }),
  'the id …': async ({ url }) => {
    await postEvents(url, event);
    return await refusal(url, { ...event, amount: '2' });
  },
  'cursor is a position': async ({ url }) => {
    const { json } = await postEvents(url, event);
    return (await get(url, `/events?cursor=${json.position}`)).json.detail;
  },
  'no answer from the hub': async () =>
    (await runCli(['send', '--url', 'http://127.0.0.1:9', ...flags])).stderr,
  '… is not this machine': async () =>
    (await runCli(['generate', '--url', 'http://hub.example.com'])).stderr,
};
const formType = { 'content-type': 'application/x-www-form-urlencoded' };
const flags = ['--user-id', 'u1', '--event-type', 'purchase', '--amount', '1'];

describe('docs/troubleshooting.md', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.remove());

  it('is about enough, each once', () => {
    expect(messages.length).toBeGreaterThan(30);
    expect(new Set(messages).size).toBe(messages.length);
    const starts = Object.keys(said).map((start) =>
      messages.filter((text) => text.startsWith(start)),
    );
    expect(starts.filter((found) => found.length !== 1)).toEqual([]);
  });

  it.each(messages)('quotes what the hub says: %s', async (message) => {
    const start = Object.keys(said).find((text) => message.startsWith(text));
    if (start !== undefined) {
      expect((await said[start]?.(hub)) ?? '').toMatch(pattern(message));
      return;
    }
    const pieces = message.split('…').filter((piece) => piece.length > 2);
    const holds = (texts: readonly string[]) =>
      pieces.every((piece) => texts.some((text) => text.includes(piece)));
    expect(pieces.some((piece) => piece.length > 10)).toBe(true);
    expect(sources.some(holds), 'all of it in one file').toBe(true);
  });
});

function pattern(message: string): RegExp {
  const pieces = message.split('…').map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(pieces.join('.+'));
}

async function refusal(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await postEvents(url, body, headers)).json.detail;
}

/** Of a hub that must not start. */
async function serve(folder: string, port: string, log = `sqlite:${folder}/other.db`) {
  const args = ['serve', `--http-port=${port}`, '--grpc-port=0', `--log=${log}`];
  const { code, stderr } = await runCli(args, { folder });
  expect(code).toBe(2);
  return stderr;
}
