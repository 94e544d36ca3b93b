import { type GraphQLSchema, printSchema } from 'graphql';
import { builder } from './builder.ts';
import './scalars.ts';
import './query.ts';
import './mutation.ts';
import './subscription.ts';

/** The executable schema. It holds no hub: resolvers find theirs in the operation's context. */
export function buildSchema(): GraphQLSchema {
  return builder.toSchema({ sortSchema: false });
}

/** `contracts/schema.graphql`. */
export function printSdl(): string {
  return `${printSchema(buildSchema())}\n`;
}
