import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLObjectType } from 'graphql';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Shown } from '../protocols/drivers/protocol-driver.ts';
import { GrpcClient } from '../protocols/grpc/grpc-client.ts';
import { ApiKeys, bearing, untilKnown } from '../support/api-keys.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { readSources, repository } from '../support/source-files.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import {
  callGraphql,
  callGraphqlStream,
  callGrpc,
  callHttp,
  callSocket,
  callSocketUpgraded,
  type GraphqlOperation,
  type GrpcOperation,
  type HttpOperation,
  knownId,
} from './access-calls.ts';
import {
  type Credential,
  makeCredentials,
  takingTokens,
  type Outcome,
  outcomeOf,
} from './credentials.ts';
import { graphqlNeeds, grpcNeeds, httpNeeds, type Needs } from './operation-scopes.ts';

/** How each outcome looks on each wire; a success is the same on all. */
const httpAnswers = {
  success: 'success',
  unauthenticated: '401 unauthenticated Bearer',
  forbidden: '403 forbidden',
  unreadable: '400 unreadable',
};
const grpcAnswers = {
  success: 'success',
  unauthenticated: 'UNAUTHENTICATED unauthenticated',
  forbidden: 'PERMISSION_DENIED forbidden',
  unreadable: 'INVALID_ARGUMENT unreadable',
};
const graphqlAnswers = { ...httpAnswers, forbidden: 'forbidden' };
const socketAnswers = {
  success: 'success',
  unauthenticated: 'closed 4401',
  forbidden: 'forbidden',
  unreadable: 'closed 4400',
};

let hub: TestHub;
let grpc: GrpcClient;
let credentials: readonly Credential[];

beforeAll(async () => {
  hub = await startTestHub(takingTokens);
  grpc = new GrpcClient(hub.grpcAddress);
  const keys = new ApiKeys(hub.settings);
  credentials = await makeCredentials(keys);
  const last = await keys.make(['events:write']);
  await untilKnown(hub.url, last);
  await postEvents(hub.url, anInput({ id: knownId }), bearing(last));
});

afterAll(async () => {
  grpc.close();
  await hub.remove();
});

/** All credentials on one operation, at once. */
async function expectEach(
  needs: Needs,
  answers: Readonly<Record<Outcome, string>>,
  call: (shown: Shown) => Promise<string>,
): Promise<void> {
  const came = credentials.map(async (each) => [each.name, await call(each.showFor(needs))]);
  const due = credentials.map((each) => [each.name, answers[outcomeOf(each, needs)]]);
  expect(Object.fromEntries(await Promise.all(came))).toEqual(Object.fromEntries(due));
}

describe('an operation without a stated scope', () => {
  it('is none of the routes of the HTTP server', () => {
    const paths = readContract('openapi.json').paths as Record<string, object>;
    const inContract = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = readSources('server/src/protocols/**/*.ts').flatMap(({ text }) =>
      [...text.matchAll(/\broute\('(GET|POST|PUT)', '([^']+)'/g)].map(
        ([, method, path]) => `${method} ${path?.replace(/:(\w+)/, '{$1}')}`,
      ),
    );
    expect(inContract.filter((operation) => !served.includes(operation))).toEqual([]);
    expect(Object.keys(httpNeeds).sort()).toEqual([...new Set(served)].sort());
  });

  it('is none of the calls of the gRPC server', () => {
    const root = new protobuf.Root();
    const contracts = join(repository, 'contracts/');
    root.resolvePath = (_origin, target) => join(contracts, target);
    root.loadSync(['event_hub.proto', 'grpc/health/v1/health.proto']);
    const inContract = ['event_hub.v1.EventService', 'grpc.health.v1.Health'].flatMap((service) =>
      Object.keys(root.lookupService(service).methods).map((method) => `${service}/${method}`),
    );
    const reflection = readSources('server/src/protocols/grpc/reflection.ts')
      .flatMap(({ literals }) => [...literals])
      .filter((literal) => literal.startsWith('/grpc.'));
    const served = [...inContract, ...reflection.map((path) => path.slice(1))];
    expect(Object.keys(grpcNeeds).sort()).toEqual(served.sort());
  });

  it('is none of those that the proto describes', () => {
    const proto = readFileSync(join(repository, 'contracts/event_hub.proto'), 'utf8');
    const described = [...proto.matchAll(/\/\/ Scope: (\S+)\.\n {2}rpc (\w+)\(/g)].map(
      ([, scope, method]) => [`event_hub.v1.EventService/${method}`, scope],
    );
    const stated = entries(grpcNeeds).filter(([name]) => name.startsWith('event_hub.'));
    expect(described).toEqual(stated);
  });

  it('is none of the fields of the GraphQL schema', () => {
    const schema = buildSchema(readFileSync(join(repository, 'contracts/schema.graphql'), 'utf8'));
    const fieldsOf = (type: string, root: GraphQLObjectType | null | undefined) =>
      Object.keys(root?.getFields() ?? {}).map((field) => `${type} ${field}`);
    const inContract = [
      ...fieldsOf('query', schema.getQueryType()),
      ...fieldsOf('mutation', schema.getMutationType()),
      ...fieldsOf('subscription', schema.getSubscriptionType()),
    ];
    expect(Object.keys(graphqlNeeds).sort()).toEqual([...inContract, 'query __schema'].sort());
  });
});

describe('over HTTP', () => {
  it.each(entries(httpNeeds))('%s asks for: %s', async (operation: HttpOperation, needs) => {
    await expectEach(needs, httpAnswers, (shown) => callHttp(hub.url, operation, shown));
  });

  it('the page of the playground is open, as its operations are not', async () => {
    const page = await get(hub.url, '/graphql', { accept: 'text/html' });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
  });

  it('asks HEAD for the same as GET', async () => {
    const statusOf = async (path: string) =>
      (await fetch(hub.url + path, { method: 'HEAD' })).status;
    for (const [operation, needs] of entries(httpNeeds)) {
      const [method, path = ''] = operation.split(' ');
      if (method !== 'GET' || path.includes('{name}') || path === '/favicon.ico') continue;
      expect(await statusOf(path.replace('{id}', knownId)), path).toBe(
        needs === 'open' ? 200 : 401,
      );
    }
  });

  it('takes no key from a URL', async () => {
    const admin = credentials.find(({ name }) => name === 'admin')?.showFor('admin');
    const key = admin?.authorization?.split(' ')[1] ?? '';
    for (const name of ['key', 'api_key', 'apikey', 'access_token', 'token', 'authorization']) {
      const { status } = await get(hub.url, `/events?${name}=${key}`);
      expect(status, name).toBe(401);
    }
    const withUser = hub.url.replace('//', `//user:${key}@`);
    expect(await callHttp(withUser, 'GET /events', {}).catch(() => 'no URL')).toBe('no URL');
  });
});

describe('over gRPC', () => {
  it.each(entries(grpcNeeds))('%s asks for: %s', async (operation: GrpcOperation, needs) => {
    await expectEach(needs, grpcAnswers, (shown) => callGrpc(grpc, operation, shown));
  });
});

describe('over GraphQL', () => {
  const whole = entries(graphqlNeeds).filter(([name]) => !name.startsWith('subscription'));

  it.each(whole)('%s asks for: %s', async (operation: GraphqlOperation, needs) => {
    await expectEach(needs, graphqlAnswers, (shown) => callGraphql(hub.url, operation, shown));
  });

  it.each(entries(graphqlNeeds))(
    '%s asks for: %s, by server-sent events',
    async (operation: GraphqlOperation, needs) => {
      await expectEach(needs, graphqlAnswers, (shown) =>
        callGraphqlStream(hub.url, operation, shown),
      );
    },
  );

  it.each(entries(graphqlNeeds))(
    '%s asks for: %s, over a WebSocket',
    async (operation: GraphqlOperation, needs) => {
      await expectEach(needs, socketAnswers, (shown) => callSocket(hub.url, operation, shown));
      await expectEach(needs, socketAnswers, (shown) =>
        callSocketUpgraded(hub.url, operation, shown),
      );
    },
  );

  it('answers what a key may ask for beside what it may not', async () => {
    const { showFor } = credentials.find(({ name }) => name.endsWith('by X-API-Key')) ?? {};
    const answer = await fetch(`${hub.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...showFor?.('events:read') },
      body: '{"query":"{ event(id: \\"known\\") { id } aggregatedMetrics { eventCount } }"}',
    });
    expect(await answer.json()).toMatchObject({
      data: null,
      errors: [{ path: ['aggregatedMetrics'], extensions: { code: 'forbidden' } }],
    });
  });
});

describe('a hub without a key', () => {
  it('serves who shows nothing or another scheme, and judges the credential that is shown', async () => {
    const open = await startTestHub();
    const client = new GrpcClient(open.grpcAddress);
    const calls = async (shown: Shown) => [
      await callHttp(open.url, 'GET /events', shown),
      await callHttp(open.url, 'GET /metrics', shown),
      await callGraphql(open.url, 'query lastEvents', shown),
      await callSocketUpgraded(open.url, 'query lastEvents', shown),
      await callGrpc(client, 'event_hub.v1.EventService/ListEvents', shown),
    ];
    const refused = [
      ...['401 unauthenticated Bearer', '401 unauthenticated Bearer', '401 unauthenticated Bearer'],
      ...['closed 4401', 'UNAUTHENTICATED unauthenticated'],
    ];
    for (const name of ['none', 'another scheme']) {
      expect(await calls(shownBy(name)), name).toEqual(Array(5).fill('success'));
    }
    for (const name of ['mistyped', 'unknown', 'admin', 'a token with only this scope']) {
      expect(await calls(shownBy(name)), name).toEqual(refused);
    }
    client.close();
    await open.remove();
  });

  const shownBy = (name: string) =>
    credentials.find((each) => each.name === name)?.showFor('admin') ?? {};
});

function entries<Name extends string>(needs: Readonly<Record<Name, Needs>>): [Name, Needs][] {
  return Object.entries(needs) as [Name, Needs][];
}

function readContract(name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(repository, 'contracts', name), 'utf8'));
}
