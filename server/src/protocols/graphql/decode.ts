import type { IncomingMessage } from 'node:http';
import { HubError, invalid } from '../../base/errors.ts';
import { decodeUtf8, isJsonArray, isJsonObject, type Json, jsonPointer } from '../../base/json.ts';
import { JsonReader } from '../../base/json-reader.ts';
import { limits } from '../../base/limits.ts';
import { acceptQuality } from '../http/client-accepts.ts';
import type { Exchange } from '../http/http-server.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { parseParameters } from '../http/query-parameters.ts';
import { readBody } from '../http/read-body.ts';
import type { OperationParameters } from './engine.ts';
import { notAcceptable } from './failure.ts';

/** The form of a whole answer, `legacy` with the status 200 for whatever the operation did. */
export type AnswerType = keyof typeof answerTypes;

export const answerTypes = {
  graphql: 'application/graphql-response+json',
  legacy: 'application/json',
} as const;

/** What the client takes. */
export interface Accepted {
  /** Undefined when it takes a stream only. */
  readonly answer: AnswerType | undefined;
  readonly stream: boolean;
}

/** Throws `unsupported_media_type` when the client takes nothing that GraphQL answers in. */
export function decodeAccept(request: IncomingMessage): Accepted {
  const graphql = acceptQuality(request, answerTypes.graphql);
  const legacy = acceptQuality(request, answerTypes.legacy);
  const stream = acceptQuality(request, 'text/event-stream') > 0;
  if (graphql + legacy > 0) {
    const named = request.headers.accept?.toLowerCase().includes(answerTypes.graphql) === true;
    return { answer: named && graphql >= legacy ? 'graphql' : 'legacy', stream };
  }
  if (stream) return { answer: undefined, stream };
  throw notAcceptable(
    `GraphQL answers as ${answerTypes.graphql}, ${answerTypes.legacy} or text/event-stream: name one of them in the header Accept`,
  );
}

/** The operation in a POST. Throws what `readBody` and `mediaTypeOf` throw, `unreadable` and `invalid`. */
export async function decodePost(exchange: Exchange): Promise<OperationParameters> {
  mediaTypeOf(exchange.request, [answerTypes.legacy]);
  const body = await readBody(exchange, limits.graphqlBodyBytes);
  return decodeParameters(readJson(decodeUtf8(body)));
}

/** The operation in a GET's query; `variables` and `extensions` are JSON there. */
export function decodeGet(exchange: Exchange): OperationParameters {
  const found = parseParameters(exchange.query, { single: parameterNames });
  const json = (name: string): Json => {
    const text = found[name];
    return typeof text === 'string' ? readJson(text) : null;
  };
  return decodeParameters({
    query: textOrNull(found.query),
    operationName: textOrNull(found.operationName),
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

/** Null members are absent. Throws `invalid`, naming the member. */
export function decodeParameters(body: Json): OperationParameters {
  if (isJsonArray(body)) {
    const detail = 'this is a list of operations: send one operation in one request';
    throw invalid('', 'expected_object', detail);
  }
  if (!isJsonObject(body)) {
    const detail = 'the body must be a JSON object with the member "query"';
    throw invalid('', 'expected_object', detail);
  }
  for (const name of Object.keys(body)) {
    if (parameterNames.includes(name)) continue;
    const detail = `there is no such member of a request: it has ${parameterNames.join(', ')}`;
    throw invalid(jsonPointer([name]), 'unknown_field', detail);
  }
  const { query, operationName, variables, extensions } = body;
  if (typeof query !== 'string') {
    const detail = 'query must be the text of a GraphQL document';
    throw invalid('/query', query === null || query === undefined ? 'required' : 'type', detail);
  }
  if (query.trim() === '') throw new HubError('unreadable', 'query is empty: send an operation');
  checkType('operationName', 'a string', operationName, (value) => typeof value === 'string');
  checkType('variables', 'an object', variables, isJsonObject);
  checkType('extensions', 'an object', extensions, isJsonObject);
  return {
    query,
    operationName: typeof operationName === 'string' ? operationName : undefined,
    variables: isJsonObject(variables) ? variables : {},
  };
}

/**
 * JSON of a whole request, with the caps of one event for each event in it;
 * `around` is how many levels more a transport puts around. Throws `unreadable`.
 */
export function readJson(text: string, around = 0): Json {
  return new RequestReader(text, around).document();
}

const parameterNames = ['query', 'operationName', 'variables', 'extensions'];

/** Counts keys anew for each event of a batch: the body, its variables and their list lie around it. */
class RequestReader extends JsonReader {
  readonly #eventDepth: number;

  constructor(text: string, around: number) {
    const depth = limits.jsonDepth + limits.graphqlJsonDepth + around;
    super(text, { depth, keys: limits.jsonKeys });
    this.#eventDepth = 3 + around;
  }

  override object(): Json {
    if (this.depth === this.#eventDepth) this.keys = 0;
    return super.object();
  }
}

function checkType(
  name: string,
  type: string,
  value: Json | undefined,
  isRight: (value: Json | undefined) => boolean,
): void {
  if (value === undefined || value === null || isRight(value)) return;
  throw invalid(`/${name}`, 'type', `${name} must be ${type}`);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
