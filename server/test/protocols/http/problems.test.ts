import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { type ErrorCode, errorCodes, HubError } from '../../../src/base/errors.ts';
import { createLogger } from '../../../src/base/logger.ts';
import { createTelemetry } from '../../../src/base/telemetry.ts';
import { errorTable } from '../../../src/protocols/error-table.ts';
import { createHttpServer } from '../../../src/protocols/http/create-http-server.ts';
import { get } from '../../support/rest-calls.ts';

const logger = createLogger('silent');
const telemetry = createTelemetry();
const http = createHttpServer({
  host: '127.0.0.1',
  port: 0,
  clock: systemClock,
  logger,
  telemetry,
  rateLimits: undefined,
});
const secret = new Error('the password is 1234');
let url: string;
beforeAll(async () => {
  http.route('GET', '/fails/:code', ({ parameter }) => {
    const options = { cause: secret, ids: ['a', 'b'], position: 'p1' };
    throw new HubError(parameter as ErrorCode, 'what is wrong', options);
  });
  http.route('GET', '/later', () => {
    throw new HubError('overloaded', 'full', { retryAfterS: 2.5 });
  });
  http.route('GET', '/breaks', async () => {
    await systemClock.sleep(0);
    throw secret;
  });
  http.route('GET', '/breaks-halfway', ({ response }) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half');
    throw secret;
  });
  const { host, port } = await http.listen();
  url = `http://${host}:${port}`;
});
afterAll(() => http.close());

describe('problem documents', () => {
  it.each(errorCodes)('say %s as the error table does', async (code) => {
    const { status, headers, json, text } = await get(url, `/fails/${code}`);
    const wire = errorTable[code];
    expect(status).toBe(wire.http);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('retry-after')).toBe(wire.retryable ? '1' : null);
    expect(json).toEqual({
      type: `/docs/errors#${code}`,
      title: wire.title,
      status: wire.http,
      detail: 'what is wrong',
      code,
      errors: [],
      ids: ['a', 'b'],
      position: 'p1',
      request_id: headers.get('x-request-id'),
    });
    expect(text).not.toContain('1234');
  });

  it('name the request by the id that it came with, and by no other text', async () => {
    const idFor = async (headers: Readonly<Record<string, string>>) => {
      const { json, headers: answered } = await get(url, '/fails/invalid', headers);
      expect(answered.get('x-request-id')).toBe(json.request_id);
      return json.request_id;
    };
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    expect(await idFor({ 'x-request-id': 'order-17', traceparent })).toBe('order-17');
    expect(await idFor({ 'x-request-id': 'two words', traceparent })).toBe(traceId);
    const own = [await idFor({}), await idFor({ 'x-request-id': '<script>' })];
    for (const id of own) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(own).size).toBe(2);
  });

  it('name the seconds until a retry makes sense, rounded up', async () => {
    expect((await get(url, '/later')).headers.get('retry-after')).toBe('3');
  });

  it('keep the reason of an unexpected failure inside', async () => {
    const { status, json, text } = await get(url, '/breaks');
    expect([status, json.code]).toEqual([500, 'internal']);
    expect(text).not.toContain('1234');
  });

  it('cannot mend an answer that has begun: the connection is cut', async () => {
    await expect(get(url, '/breaks-halfway')).rejects.toThrow();
  });

  it('are counted by route and status', () => {
    expect(telemetry.requests.get('GET\t/breaks\t500')).toBe(1);
  });
});
