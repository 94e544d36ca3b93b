import { type FieldNode, Kind, type ValueNode } from 'graphql';
import { limits } from '../../../base/limits.ts';

export type Variables = Readonly<Record<string, unknown>>;

/** How many entries of a list a field may answer with, or as much work in another form. */
export function costOfField(field: FieldNode, variables: Variables): number {
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

/** What is no length is refused later, with better words. */
function pageLength(value: unknown, fallback: number): number {
  if (typeof value !== 'number') return fallback;
  return Math.min(Math.max(value, 0), limits.pageEvents);
}

function listLength(value: unknown): number {
  return Array.isArray(value) ? value.length : 1;
}

function readValue(node: ValueNode, variables: Variables): unknown {
  if (node.kind === Kind.VARIABLE) return variables[node.name.value];
  if (node.kind === Kind.INT) return Number(node.value);
  return node.kind === Kind.LIST ? node.values : undefined;
}
