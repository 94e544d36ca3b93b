import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCodes } from '../../../src/base/errors.ts';
import { errorTable } from '../../../src/protocols/error-table.ts';
import { httpNeeds } from '../../auth/operation-scopes.ts';
import { get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

interface Operation {
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly example?: unknown;
}

interface Content {
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

let hub: TestHub;
let document: OpenApi;
let text: string;
beforeAll(async () => {
  hub = await startTestHub();
  const answer = await get(hub.url, '/openapi.json');
  document = answer.json;
  text = answer.text;
});
afterAll(() => hub.remove());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('the OpenAPI document', () => {
  it('is of version 3.1 and refers only to what it has', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    for (const [, kind, name] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
      expect(document.components[kind ?? '']).toHaveProperty(name ?? '');
    }
  });

  it('has every path that the hub serves', async () => {
    for (const { path, method } of operations()) {
      if (method !== 'get' || path === '/events/stream') continue;
      const answer = await get(hub.url, path.replace('{id}', 'none'));
      expect(answer.json?.detail ?? '').not.toContain('nothing at this path');
    }
  });

  it('says of each operation which scope it asks for, and of what it is refused without', () => {
    for (const { path, method, operation } of operations()) {
      const name = `${method.toUpperCase()} ${path}`;
      const needs = httpNeeds[name as keyof typeof httpNeeds];
      if (needs === 'open') {
        expect(operation.security, name).toEqual([]);
        continue;
      }
      expect(operation.security, name).toEqual([{ bearer: [needs] }, { apiKey: [needs] }]);
      expect(operation.responses, name).toHaveProperty('401');
      expect(operation.responses, name).toHaveProperty('403');
    }
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    });
  });

  it('documents every status that the error table can answer with', () => {
    const responses = document.components.responses ?? {};
    for (const code of errorCodes) {
      expect(responses).toHaveProperty(`Problem${errorTable[code].http}`);
    }
  });

  it('offers the configured types', async () => {
    const other = await startTestHub({ eventTypes: new Map([['tip', '+']]) });
    const { json } = await get(other.url, '/openapi.json');
    expect(json.components.schemas.EventType.enum).toEqual(['tip']);
    for (const { value } of Object.values<{ value: unknown }>(
      json.paths['/events'].post.requestBody.content['application/json'].examples,
    )) {
      expect((await postEvents(other.url, value)).status).toBe(201);
    }
    await other.remove();
  });

  it('has examples that are stored when sent, and duplicates when sent again', async () => {
    const content = document.paths['/events']?.post?.requestBody?.content ?? {};
    const sent = Object.entries(content).flatMap(([type, { example, examples }]) => [
      ...Object.values(examples ?? {}).map(({ value }) => ({ type, body: value })),
      ...(example === undefined ? [] : [{ type, body: example }]),
    ]);
    expect(sent.length).toBeGreaterThan(3);
    for (const { type, body } of sent) {
      const first = await postEvents(hub.url, body, { 'content-type': type });
      expect(first.status).toBe(201);
      const again = await postEvents(hub.url, body, { 'content-type': type });
      const hasId = JSON.stringify(body).includes('example-');
      const statuses = again.json.results?.map((each: { status: string }) => each.status);
      if (hasId) expect(new Set(statuses ?? [again.json.status])).toEqual(new Set(['duplicate']));
    }
  });

  it('has parameter examples that are answered with 200', async () => {
    for (const { path, method, operation } of operations()) {
      if (method !== 'get') continue;
      const query = new URLSearchParams();
      let target = path;
      for (const { name, in: place, example } of operation.parameters ?? []) {
        if (example === undefined) continue;
        if (place === 'path') target = target.replace(`{${name}}`, String(example));
        else query.set(name, String(example));
      }
      const answer = await get(hub.url, `${target}?${query}`);
      expect([target, answer.status]).toEqual([target, 200]);
      expect(operation.responses).toHaveProperty('200');
    }
  });
});
