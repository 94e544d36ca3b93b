import { Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { invalid } from '../../../base/errors.ts';
import { type Json, parseJson } from '../../../base/json.ts';
import { shown } from '../../../event/faults.ts';
import { builder } from './builder.ts';

/** Both scalars hand over what was sent, untouched: the hub has the one validation. */
builder.scalarType('Amount', {
  description:
    'An amount of money on its way in: a number or a decimal string, such as `150.75` or `"150.75"`; 0 to 999999999999, at most 6 decimals. It is read from its source text and never rounded. A number with more than 15 significant digits is refused: send it as a string.',
  parseValue: (value) => value as Json,
  parseLiteral: (node) => jsonOfLiteral(node, undefined),
  serialize: () => {
    throw new TypeError('Amount is an input only');
  },
});

builder.scalarType('JSON', {
  description:
    'Any JSON value. In a query it is written as a GraphQL literal, `{ source: "web", tags: ["a"] }`; in variables as JSON.',
  parseValue: (value) => value as Json,
  parseLiteral: (node, variables) => jsonOfLiteral(node, variables),
  serialize: (value) => value,
});

/** A literal as the JSON reader would have read it: numbers from their source text, objects that inherit nothing. */
function jsonOfLiteral(
  node: ValueNode,
  variables: Parameters<typeof valueFromASTUntyped>[1],
): Json {
  switch (node.kind) {
    case Kind.INT:
    case Kind.FLOAT:
      return parseJson(node.value);
    case Kind.LIST:
      return node.values.map((each) => jsonOfLiteral(each, variables));
    case Kind.OBJECT: {
      const object: { [key: string]: Json } = Object.create(null);
      for (const field of node.fields) {
        object[field.name.value] = jsonOfLiteral(field.value, variables);
      }
      return object;
    }
    case Kind.ENUM:
      // NaN and Infinity are such names, and no JSON.
      throw invalid(
        '',
        'bare_name',
        `${shown(node.value)} is no JSON: put a text in double quotes`,
      );
    default:
      // Strings, truth values, null, and variables by their value.
      return (valueFromASTUntyped(node, variables) ?? null) as Json;
  }
}
