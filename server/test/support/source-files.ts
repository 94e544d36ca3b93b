import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseAst } from 'vitest/node';

export const repository = join(import.meta.dirname, '../../..');

export interface SyntaxNode {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A file of ours with what its syntax tree says about it. */
export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly tree: SyntaxNode;
  /** Static, re-exported and dynamic imports, types included, as written. */
  readonly imports: readonly string[];
  /** Every text literal, for files that are loaded by name. */
  readonly literals: ReadonlySet<string>;
}

/** Files that match, sorted; `node_modules` and `dist` are never ours. */
export function findFiles(...patterns: readonly string[]): readonly string[] {
  const exclude = (path: string) => /(^|\/)(node_modules|dist)(\/|$)/.test(path);
  return globSync(patterns, { cwd: repository, exclude })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

export function readSources(...patterns: readonly string[]): readonly SourceFile[] {
  return findFiles(...patterns).map(parseSource);
}

export function parseSource(path: string): SourceFile {
  const text = readFileSync(join(repository, path), 'utf8');
  const tree = parseAst(text, {
    lang: path.endsWith('.ts') ? 'ts' : 'js',
  }) as unknown as SyntaxNode;
  const imports: string[] = [];
  const literals = new Set<string>();
  for (const node of walk(tree)) {
    if (node.type === 'Literal' && typeof node.value === 'string') literals.add(node.value);
    if (node.type === 'TemplateElement')
      literals.add(String((node.value as { cooked: string }).cooked));
    if (!importing.has(node.type)) continue;
    const source = node.source as SyntaxNode | null | undefined;
    if (source?.type === 'Literal') imports.push(String(source.value));
  }
  return { path, text, lines: text.split('\n').length - 1, tree, imports, literals };
}

/** Every node of a tree, parents first. */
export function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const member of Object.values(node)) {
    for (const child of Array.isArray(member) ? member : [member]) {
      if (isNode(child)) yield* walk(child);
    }
  }
}

/** `process.env`, `Date.now`, `setTimeout`: a name, or the names of a member access, as written. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === 'Identifier') return String(node.name);
  if (node?.type !== 'MemberExpression' || node.computed === true) return undefined;
  const object = nameOf(node.object as SyntaxNode);
  const property = nameOf(node.property as SyntaxNode);
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

/** The repository path of a relative import; undefined for packages and Node.js itself. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative(repository, join(repository, dirname(from), specifier)).replaceAll('\\', '/');
}

export function exists(path: string): boolean {
  return existsSync(join(repository, path));
}

const importing = new Set([
  'ImportDeclaration',
  'ImportExpression',
  'ExportAllDeclaration',
  'ExportNamedDeclaration',
]);

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}
