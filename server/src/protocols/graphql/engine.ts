import {
  type DocumentNode,
  type ExecutionArgs,
  execute,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { OperationContext } from './context.ts';
import { DocumentCache } from './document-cache.ts';
import type { OperationResult } from './encode.ts';
import { notAcceptable } from './failure.ts';
import { checkDocumentLimits } from './limits/document-limits.ts';
import type { Variables } from './limits/field-cost.ts';
import { refuseUnknownVariables, selectOperation } from './select-operation.ts';

/** What a client sends for one operation, over any transport. */
export interface OperationParameters {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Variables;
}

/** What may be done over the transport that the operation came by. */
export interface TransportRules {
  /** GET must not change anything. */
  readonly mutations: boolean;
  /** The client takes a stream. */
  readonly subscriptions: boolean;
}

/** An operation that passed every check that needs no data. */
export type PreparedOperation = Pick<
  ExecutionArgs,
  'schema' | 'document' | 'operationName' | 'variableValues'
> & { readonly type: OperationTypeNode };

export type OperationOutcome = OperationResult | AsyncIterable<OperationResult>;

/** Parses, weighs, validates and runs operations: the same way for every transport. */
export class Engine {
  readonly #schema: GraphQLSchema;
  readonly #valid = new DocumentCache();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /** Answers the errors instead when the operation is refused before it runs. */
  prepare(
    { query, operationName, variables }: OperationParameters,
    rules: TransportRules,
  ): PreparedOperation | readonly GraphQLError[] {
    try {
      const known = this.#valid.get(query);
      const document = known ?? parseDocument(query);
      const operation = selectOperation(document, operationName);
      checkDocumentLimits(document, operation, variables);
      refuseUnknownVariables(operation, variables);
      refuseTransport(operation.operation, rules);
      if (known === undefined) {
        const errors = validate(this.#schema, document, specifiedRules, {
          maxErrors: limits.errorDetails,
        });
        if (errors.length > 0) return errors;
        this.#valid.add(query, document);
      }
      return {
        schema: this.#schema,
        document,
        operationName: operation.name?.value,
        variableValues: variables,
        type: operation.operation,
      };
    } catch (reason) {
      return [asGraphqlError(reason)];
    }
  }

  /** Failures are in the result, as GraphQL has it; a stream may reject, with why it ended. */
  async run(
    operation: PreparedOperation,
    contextValue: OperationContext,
  ): Promise<OperationOutcome> {
    const args = { ...operation, contextValue };
    return operation.type === OperationTypeNode.SUBSCRIPTION ? subscribe(args) : execute(args);
  }
}

export function isStream(outcome: OperationOutcome): outcome is AsyncIterable<OperationResult> {
  return Symbol.asyncIterator in outcome;
}

/** Any thrown thing in the one form that results and transports carry. */
export function asGraphqlError(reason: unknown): GraphQLError {
  if (reason instanceof GraphQLError) return reason;
  const error = HubError.from(reason);
  return new GraphQLError(error.message, { originalError: error });
}

function parseDocument(query: string): DocumentNode {
  if (query.length > limits.graphqlQueryCharacters) {
    const detail = `the query has more than ${limits.graphqlQueryCharacters} characters: send the data as variables`;
    throw new HubError('too_large', detail);
  }
  try {
    return parse(query, { maxTokens: limits.graphqlTokens });
  } catch (reason) {
    if (!(reason instanceof GraphQLError)) throw reason;
    const error = new HubError('unreadable', reason.message);
    throw new GraphQLError(reason.message, {
      source: reason.source,
      positions: reason.positions,
      originalError: error,
    });
  }
}

function refuseTransport(type: OperationTypeNode, rules: TransportRules): void {
  if (type === OperationTypeNode.MUTATION && !rules.mutations) {
    throw new HubError('method_not_allowed', 'a mutation changes data: send it with POST');
  }
  if (type === OperationTypeNode.SUBSCRIPTION && !rules.subscriptions) {
    throw notAcceptable(
      'a subscription is a stream: add the header "Accept: text/event-stream", or connect by WebSocket',
    );
  }
}
