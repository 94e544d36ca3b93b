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
    });
    expect(text).not.toContain('1234');
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
