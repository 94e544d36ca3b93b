import SchemaBuilder from '@pothos/core';
import type { Json } from '../../../base/json.ts';
import type { OperationContext } from '../context.ts';

/** The types of the schema are declared on this one builder, each in the file of its subject. */
export const builder = new SchemaBuilder<{
  Context: OperationContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    Amount: { Input: Json; Output: never };
    JSON: { Input: Json; Output: unknown };
  };
}>({ defaultFieldNullability: false });
