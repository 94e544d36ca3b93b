import { type FieldNode, Kind, type OperationDefinitionNode, type ValueNode } from 'graphql';
import { limits } from '../../../base/limits.ts';

/** As a client sends them. */
export type Variables = Readonly<Record<string, unknown>>;

/** As the operation runs with them: the sent ones, and the defaults of the others. */
export type VariableValues = ReadonlyMap<string, unknown>;

/** A variable that is neither sent nor has a default leaves its argument absent. */
export function variableValues(
  operation: OperationDefinitionNode,
  sent: Variables,
): VariableValues {
  const values = new Map<string, unknown>();
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (Object.hasOwn(sent, name)) values.set(name, sent[name]);
    else if (defaultValue !== undefined) values.set(name, readValue(defaultValue, values));
  }
  return values;
}

/** How many entries of a list a field may answer with, or as much work in another form. */
export function costOfField(field: FieldNode, variables: VariableValues): number {
  const argument = (name: string) => {
    const node = field.arguments?.find((each) => each.name.value === name);
    return node === undefined ? undefined : readValue(node.value, variables);
  };
  switch (field.name.value) {
    case 'lastEvents':
      return pageLength(argument('limit'), limits.graphqlLastEventsDefault);
    case 'events':
      return pageLength(argument('first') ?? argument('last'), limits.pageEventsDefault);
    case 'metricsSeries':
      return limits.graphqlSeriesCost;
    case 'sendEvents':
      return Math.ceil(listLength(argument('inputs')) / limits.graphqlEventsPerCost);
    default:
      return 0;
  }
}

/** Absent, it is the field's default. What is no length counts as the longest: it is refused later, with better words. */
function pageLength(value: unknown, fallback: number): number {
  const length = value ?? fallback;
  if (typeof length !== 'number' || Number.isNaN(length)) return limits.pageEvents;
  return Math.min(Math.max(length, 0), limits.pageEvents);
}

function listLength(value: unknown): number {
  return Array.isArray(value) ? value.length : 1;
}

/** A literal that is neither a length, a list nor null is answered as its node. */
function readValue(node: ValueNode, variables: VariableValues): unknown {
  switch (node.kind) {
    case Kind.VARIABLE:
      return variables.get(node.name.value);
    case Kind.INT:
      return Number(node.value);
    case Kind.LIST:
      return node.values;
    case Kind.NULL:
      return null;
    default:
      return node;
  }
}
