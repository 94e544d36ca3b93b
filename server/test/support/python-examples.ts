import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './source-files.ts';

const requirements = join(repository, 'examples', 'python', 'requirements.txt');

/**
 * A Python with the packages of the examples, made once per machine and version
 * of the list, outside the checkout. Rejects where they cannot be had.
 */
export async function pythonWithPackages(python: string): Promise<string> {
  const version = createHash('sha256')
    .update(readFileSync(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = join(homedir(), '.cache', 'event-hub', `examples-${version}`);
  const complete = join(folder, 'complete');
  const own = join(folder, 'bin', 'python');
  if (existsSync(complete)) return own;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await promisify(execFile)(python, ['-m', 'venv', folder]);
  await promisify(execFile)(own, ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
  writeFileSync(complete, '');
  return own;
}

/** What protoc makes of the contract, for `PYTHONPATH`. */
export async function generateStubs(python: string, folder: string): Promise<void> {
  await promisify(execFile)(python, [
    '-m',
    'grpc_tools.protoc',
    '-I',
    join(repository, 'contracts'),
    '--python_out',
    folder,
    '--grpc_python_out',
    folder,
    'event_hub.proto',
  ]);
}
