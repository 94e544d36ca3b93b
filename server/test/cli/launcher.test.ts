import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { version } from '../../src/version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const launcher = fileURLToPath(new URL('../../bin/event-hub.js', import.meta.url));
/** Makes this Node.js pass for an old one, in the launcher only. */
const asOldNode = `--import=data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } })",
)}`;

describe('bin/event-hub.js', () => {
  it('runs the command line in a Node.js that is new enough', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [launcher, '--version']);
    expect(stdout).toBe(`${version}\n`);
  });

  it('runs it with the packaged Node.js in an old one, and gives its exit code on', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      asOldNode,
      launcher,
      '--version',
    ]);
    expect(stdout).toBe(`${version}\n`);
    const failed = spawn(process.execPath, [asOldNode, launcher, 'nonsense'], { stdio: 'ignore' });
    expect(await once(failed, 'exit')).toEqual([2, null]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('leaves no hub behind after %s', async (signal) => {
    const folder = temporaryFolder();
    const child = spawn(
      process.execPath,
      [asOldNode, launcher, 'serve', '--http-port=0', '--grpc-port=0'],
      { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = await once(child.stdout, 'data');
    const url = String(line).match(/http:\S+\d/)?.[0];
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    child.stdout.resume();
    // The launcher is gone, and so is the hub, which writes to the same pipe.
    const closed = once(child, 'close');
    child.kill(signal);
    expect(await closed).toEqual(signal === 'SIGTERM' ? [0, null] : [null, 'SIGKILL']);
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    folder.remove();
  });
});
