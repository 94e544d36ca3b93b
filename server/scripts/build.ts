import { spawnSync } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * `npm run build`: `server/src` as plain JavaScript in `server/dist`, with the
 * pages' assets, so that a slim image runs it without type stripping and
 * without development packages. It reads `contracts/` and `server/package.json`
 * from where they are.
 */
const server = join(import.meta.dirname, '..');
const from = join(server, 'src');
const to = join(server, 'dist');
const require = createRequire(import.meta.url);
const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

await rm(to, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [compiler, '-p', join(server, 'tsconfig.build.json')],
  { stdio: 'inherit' },
);
if (status === 0) {
  await cp(from, to, { recursive: true, filter: (path) => !path.endsWith('.ts') });
} else process.exitCode = 1;
