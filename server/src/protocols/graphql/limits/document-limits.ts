import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { type HubError, invalid } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import { costOfField, type Variables, type VariableValues, variableValues } from './field-cost.ts';

/** What an operation amounts to with all its fragments in place. */
interface Weight {
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  /** The names under which the answer has metadata, with which it may be a hundred times as large. */
  readonly metadata: ReadonlySet<string>;
  readonly cost: number;
}

/**
 * Refuses an operation that would be too much work, before it is validated:
 * each fragment is weighed once, so weighing is cheap even where spreading it
 * would not be. Throws `invalid`.
 */
export function checkDocumentLimits(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  const scale = new Scale(fragments, variableValues(operation, variables));
  for (const name of fragments.keys()) scale.fragment(name);
  const weight = scale.selections(operation.selectionSet);
  const directives = weight.directives + (operation.directives?.length ?? 0);
  refuseAbove('too_deep', weight.depth, limits.graphqlDepth, 'levels of fields');
  refuseAbove('too_many_aliases', weight.aliases, limits.graphqlAliases, 'aliases');
  refuseAbove('too_many_directives', directives, limits.graphqlDirectives, 'directives');
  refuseAbove('too_costly', weight.cost, limits.graphqlFieldCost, 'entries asked for');
}

function refuseAbove(code: string, found: number, most: number, what: string): void {
  if (found <= most) return;
  throw tooMuch(code, `the operation has ${found} ${what}, at most ${most}: split it`);
}

function tooMuch(code: string, detail: string): HubError {
  return invalid('/query', code, detail);
}

const nothing: Weight = { depth: 0, aliases: 0, directives: 0, metadata: new Set(), cost: 0 };

class Scale {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: VariableValues;
  readonly #weighed = new Map<string, Weight>();
  readonly #open = new Set<string>();

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>, variables: VariableValues) {
    this.#fragments = fragments;
    this.#variables = variables;
  }

  selections(set: SelectionSetNode | undefined): Weight {
    let sum = nothing;
    for (const selection of set?.selections ?? []) {
      const weight = this.#selection(selection);
      sum = {
        depth: Math.max(sum.depth, weight.depth),
        aliases: sum.aliases + weight.aliases,
        directives: sum.directives + weight.directives + (selection.directives?.length ?? 0),
        metadata: union(sum.metadata, weight.metadata),
        cost: sum.cost + weight.cost,
      };
    }
    return sum;
  }

  /** An unknown fragment weighs nothing: validation refuses it. */
  fragment(name: string): Weight {
    const weighed = this.#weighed.get(name);
    if (weighed !== undefined) return weighed;
    const fragment = this.#fragments.get(name);
    if (fragment === undefined) return nothing;
    if (this.#open.has(name)) {
      throw tooMuch('fragment_cycle', `the fragment ${name} contains itself`);
    }
    this.#open.add(name);
    const inner = this.selections(fragment.selectionSet);
    const weight = {
      ...inner,
      directives: inner.directives + (fragment.directives?.length ?? 0),
    };
    this.#open.delete(name);
    this.#weighed.set(name, weight);
    return weight;
  }

  #selection(selection: SelectionNode): Weight {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.fragment(selection.name.value);
    const inner = this.selections(selection.selectionSet);
    if (selection.kind === Kind.INLINE_FRAGMENT) return inner;
    const alias = selection.alias === undefined ? 0 : 1;
    const { value: name } = selection.name;
    const own = name === 'metadata' ? new Set([selection.alias?.value ?? name]) : nothing.metadata;
    const metadata = union(inner.metadata, own);
    const entries = costOfField(selection, this.#variables);
    // Introspection nests deeper than events do; graphql-js has a rule of its own for it.
    const depth = introspection.has(name) ? 1 : inner.depth + 1;
    return {
      depth,
      aliases: inner.aliases + alias,
      directives: inner.directives,
      metadata,
      // The same metadata under other names is that of further entries.
      cost: inner.cost + entries * Math.max(1, metadata.size),
    };
  }
}

function union(some: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  if (others.size === 0) return some;
  return some.size === 0 ? others : new Set([...some, ...others]);
}

const introspection: ReadonlySet<string> = new Set(['__schema', '__type']);
