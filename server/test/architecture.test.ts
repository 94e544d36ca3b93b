import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bannedUses, mayImport, type Room, roomOf } from './support/rooms.ts';
import {
  exists,
  findFiles,
  nameOf,
  readSources,
  repository,
  resolveImport,
  type SourceFile,
  type SyntaxNode,
  walk,
} from './support/source-files.ts';

const src = 'server/src/';
const sources = readSources('server/src/**/*.ts');
const scripts = readSources('server/scripts/*.ts');
const tests = readSources('server/test/**/*.ts');
const others = readSources('bench/**/*.ts', 'examples/**/*.ts', 'server/bin/*.js');
const ours = [...sources, ...scripts, ...tests, ...others];

describe('the rooms of server/src', () => {
  it('take in every file', () => {
    expect(sources.filter((file) => roomAt(file.path) === undefined).map(pathOf)).toEqual([]);
  });

  it('import only what the table lists', () => {
    expect(sources.flatMap(forbiddenImports)).toEqual([]);
  });
});

describe('the registries', () => {
  const folders = ['log', 'store', 'protocols'].flatMap((port) =>
    [...new Set(sources.map(({ path }) => path.match(`^${src}${port}/([^/]+)/`)?.[1]))]
      .filter((name) => name !== undefined)
      .map((name) => ({ port, name })),
  );

  it.each(folders)('have $port/$name, and it has tests', ({ port, name }) => {
    const registry = sources.find(({ path }) => path === `${src}${port}/index.ts`);
    const isShared = port === 'protocols' && name === 'http'; // The server that the protocols share.
    const isRegistered = registry?.imports.some((specifier) => specifier.startsWith(`./${name}/`));
    expect(isRegistered).toBe(!isShared);
    const mirrored = `server/test/${port}/${name}`;
    const has = tests.some(
      ({ path }) =>
        path.endsWith('.test.ts') &&
        (path.startsWith(`${mirrored}/`) || path.startsWith(`${mirrored}.`)),
    );
    expect(has, `${mirrored}.test.ts or a folder of tests`).toBe(true);
  });
});

describe('banned uses', () => {
  it.each(bannedUses)('$names: $instead', ({ names, modules = [], only }) => {
    const found = sources
      .filter(({ path }) => !only?.test(path.slice(src.length)))
      .flatMap((file) => [
        ...usesOf(file, new Set(names)),
        ...file.imports
          .filter((name) => modules.includes(name))
          .map((name) => `${file.path}: ${name}`),
      ]);
    expect(found).toEqual([]);
  });
});

describe('every file', () => {
  it('is short: 300 lines, and 500 for a suite, a table of cases or the one of all limits', () => {
    const mayBeLong = /^server\/(test\/|src\/base\/limits\.ts$)/;
    const max = ({ path }: SourceFile) => (mayBeLong.test(path) ? 500 : 300);
    expect(ours.filter((file) => file.lines > max(file)).map(pathOf)).toEqual([]);
  });

  it('is named in kebab-case, after what it holds', () => {
    const isGood = (path: string) =>
      path
        .split('/')
        .every((name) => /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|suite))?(\.[a-z]+)?$/.test(name)) &&
      !/(^|\/|-)(utils?|helpers?|manager|impl|common|misc)([./-]|$)/.test(path);
    expect(ours.map(pathOf).filter((path) => !isGood(path))).toEqual([]);
  });

  it('is finished: no notes for later, nothing left open', () => {
    const marker = /\b(TODO|FIXME|HACK|TBD)\b|(\/\/|\*)\s*XXX\b|\bXXX:/;
    expect(
      ours.filter(({ path }) => !path.endsWith('architecture.test.ts')).flatMap(linesWith(marker)),
    ).toEqual([]);
  });

  it('has no default export', () => {
    const isDefault = ({ type }: SyntaxNode) => type === 'ExportDefaultDeclaration';
    expect(ours.flatMap((file) => nodesOf(file, isDefault))).toEqual([]);
  });

  it('of server/src has no `any`', () => {
    const isAny = ({ type }: SyntaxNode) => type === 'TSAnyKeyword';
    expect(sources.flatMap((file) => nodesOf(file, isAny))).toEqual([]);
  });

  it('silences no checker without saying why', () => {
    const silenced = /@ts-(ignore|nocheck)|@ts-expect-error\s*$|biome-ignore(?![^:]*: \S+ \S+)/;
    expect(
      ours
        .filter(({ path }) => !path.endsWith('architecture.test.ts'))
        .flatMap(linesWith(silenced)),
    ).toEqual([]);
  });

  it('names only documents that exist', () => {
    const named = ours.flatMap(({ path, text }) =>
      (
        text.match(/\b(docs\/[\w/-]+\.md|contracts\/[\w/-]+\.(proto|graphql|json|yaml))\b/g) ?? []
      ).map((name) => ({ path, name })),
    );
    expect(named.filter(({ name }) => !exists(name))).toEqual([]);
  });

  it('of server/src is reached from the command line or a script', () => {
    const reached = reachedFrom(['server/src/cli/event-hub.ts', ...scripts.map(pathOf)]);
    const assets = findFiles('server/src/**/*.{css,html,js,json,svg}');
    const literals = new Set(sources.flatMap((file) => [...file.literals]));
    const dead = sources.map(pathOf).filter((path) => !reached.has(path));
    expect([...dead, ...assets.filter((path) => !literals.has(basename(path)))]).toEqual([]);
  });
});

describe('the packages', () => {
  const manifest = readJson('server/package.json') as { dependencies: Record<string, string> };
  const root = readJson('package.json') as { devDependencies: Record<string, string> };

  it('of the server are all used', () => {
    const used = sources.flatMap((file) => [...file.imports, ...file.literals]);
    const isUsed = (name: string) =>
      used.some((text) => text === name || text.startsWith(`${name}/`));
    expect(Object.keys(manifest.dependencies).filter((name) => !isUsed(name))).toEqual([]);
  });

  it('are all declared by who imports them', () => {
    const own = Object.keys(manifest.dependencies);
    const all = [...own, ...Object.keys(root.devDependencies)];
    const undeclared = ours.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .filter((name) => !(path.startsWith(src) ? own : all).includes(packageOf(name)))
        .map((name) => `${path}: ${name}`),
    );
    expect(undeclared).toEqual([]);
  });

  it('have a line each in docs/decisions/dependencies.md', () => {
    const text = readText('docs/decisions/dependencies.md');
    const names = Object.keys({ ...manifest.dependencies, ...root.devDependencies });
    expect(names.filter((name) => !text.includes(`| \`${name}\` |`))).toEqual([]);
  });
});

describe('the documents', () => {
  it('list every decision', () => {
    const index = readText('docs/decisions/README.md');
    const decisions = findFiles('docs/decisions/*-*.md').map((path) => basename(path));
    expect(decisions.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });
});

describe('every test file', () => {
  const isTest = ({ path }: SourceFile) => path.endsWith('.test.ts');
  const isSuite = ({ path }: SourceFile) => path.endsWith('.suite.ts');

  it('contains tests, or calls a suite', () => {
    const tested = /^(it|test)(\.(each|for|skipIf|runIf))?$|Suite$/;
    const empty = tests
      .filter((file) => isTest(file) || isSuite(file))
      .filter((file) => !calls(file).some((name) => tested.test(name)));
    expect(empty.map(pathOf)).toEqual([]);
  });

  it('runs as a whole', () => {
    const left = /^(it|test|describe)\.(.*\.)?(only|skip|todo|fails|concurrent\.only)$/;
    expect(
      tests.flatMap((file) =>
        calls(file)
          .filter((name) => left.test(name))
          .map((name) => `${file.path}: ${name}`),
      ),
    ).toEqual([]);
  });

  it('leaves something out only where a program is missing, and says which', () => {
    const leavesOut = /\.(skipIf|runIf|skip)$/;
    const found = tests
      .filter(({ path }) => path !== 'server/test/support/needed-program.ts')
      .filter((file) => calls(file).some((name) => leavesOut.test(name)));
    expect(found.map(pathOf)).toEqual([]);
  });

  it('calls every suite', () => {
    const imported = new Set(
      tests.flatMap((file) => file.imports.map((name) => resolveImport(file.path, name))),
    );
    expect(
      tests
        .filter(isSuite)
        .map(pathOf)
        .filter((path) => !imported.has(path)),
    ).toEqual([]);
  });
});

function roomAt(path: string): Room | undefined {
  return path.startsWith(src) ? roomOf(path.slice(src.length)) : undefined;
}

function forbiddenImports(file: SourceFile): readonly string[] {
  const room = roomAt(file.path);
  if (room === undefined) return [];
  return file.imports
    .filter((specifier) => !specifier.startsWith('node:'))
    .filter((specifier) => {
      const target = resolveImport(file.path, specifier);
      if (target === undefined) return !mayImportPackage(room, packageOf(specifier));
      const other = roomAt(target);
      return !exists(target) || other === undefined || !mayImport(room, other);
    })
    .map((specifier) => `${file.path} (${room.name}): ${specifier}`);
}

function mayImportPackage({ name, packages = [] }: Room, wanted: string): boolean {
  if (packages === 'all') return true;
  if (packages !== 'own') return packages.includes(wanted);
  return sources
    .filter((file) => file.imports.some((specifier) => packageOf(specifier) === wanted))
    .map((file) => roomAt(file.path))
    .every((room) => room?.name === name || room?.packages === 'all');
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Static and dynamic imports, and files that are named in a text: threads, and what `new URL` leads to. */
function reachedFrom(roots: readonly string[]): ReadonlySet<string> {
  const byPath = new Map([...sources, ...scripts].map((file) => [file.path, file]));
  const byStem = new Map(
    sources
      .filter(({ path }) => /-(thread|process)\.ts$/.test(path))
      .map((file) => [basename(file.path, '.ts'), file.path]),
  );
  const reached = new Set<string>();
  const waiting = [...roots];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const text of [...file.imports, ...file.literals]) {
      const target = resolveImport(path, text) ?? byStem.get(text);
      if (target !== undefined) waiting.push(target);
    }
  }
  return reached;
}

function usesOf(file: SourceFile, names: ReadonlySet<string>): readonly string[] {
  return nodesOf(file, (node) => {
    if (node.type === 'NewExpression') return names.has(`new ${nameOf(node.callee as SyntaxNode)}`);
    if (node.type === 'MemberExpression')
      return names.has(nameOf(node) ?? '') || names.has(nameOf(node.object as SyntaxNode) ?? '');
    return node.type === 'CallExpression' && names.has(nameOf(node.callee as SyntaxNode) ?? '');
  });
}

function nodesOf(file: SourceFile, isFound: (node: SyntaxNode) => boolean): readonly string[] {
  return [...walk(file.tree)].filter(isFound).map((node) => {
    const line = file.text.slice(0, node.start as number).split('\n').length;
    return `${file.path}:${line}`;
  });
}

/** The names of what is called, `it.each` for `it.each(...)(...)`. */
function calls(file: SourceFile): readonly string[] {
  return [...walk(file.tree)]
    .filter(({ type }) => type === 'CallExpression')
    .map((node) => nameOf(node.callee as SyntaxNode) ?? '');
}

function linesWith(pattern: RegExp) {
  return ({ path, text }: SourceFile) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      );
}

function pathOf({ path }: SourceFile): string {
  return path;
}

function readText(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

function readJson(path: string): unknown {
  return JSON.parse(readText(path));
}
