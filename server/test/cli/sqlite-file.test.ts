import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/base/finding.ts';
import { jsonLines, runCli, startCli } from '../support/run-cli.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const freePorts = ['--http-port=0', '--grpc-port=0'];
let folder: TemporaryFolder;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** What can be wrong with a file, and with nothing else. */
describe('a file as the hub', () => {
  it('refuses a second hub on the folder, in one line', async () => {
    const first = startCli(['serve', ...freePorts], { folder: folder.path });
    await first.until(/\n/);
    const second = await runCli(['serve', ...freePorts], { folder: folder.path });
    first.process.kill('SIGTERM');
    await first.result;
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toMatch(/^event-hub: another hub runs on [^\n]+\n$/);
  });

  it('ends with 2 where there is no hub, and makes none', async () => {
    const { code, stderr } = await runCli(['events', '--log=sqlite:./nowhere.db'], {
      folder: folder.path,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^event-hub: there is no hub at \S+nowhere\.db: start one with/);
  });

  it('names a place that cannot be written, and a file that is not the hub’s', async () => {
    writeFileSync(join(folder.path, 'file'), 'in the place of a folder');
    const blocked = await doctor(...freePorts, '--log=sqlite:./file/hub.db');
    expect(blocked.code).toBe(1);
    expect(find(blocked.findings, 'folder')).toMatchObject({ state: 'fail' });
    const foreign = await doctor(...freePorts, '--log=sqlite:./file');
    expect(foreign.code).toBe(1);
    expect(find(foreign.findings, 'file')?.detail).toContain("cannot be read as a hub's file");
  });

  it('does not touch a file that is not the hub’s', async () => {
    writeFileSync(join(folder.path, 'notes.db'), 'precious');
    const { code } = await runCli(['reset', '--yes', '--log=sqlite:./notes.db'], {
      folder: folder.path,
    });
    expect(code).toBe(2);
    expect(readdirSync(folder.path)).toEqual(['notes.db']);
  });
});

async function doctor(...flags: readonly string[]) {
  const { code, stdout } = await runCli(['doctor', '--output=ndjson', ...flags], {
    folder: folder.path,
  });
  return { code, findings: jsonLines<Finding>({ stdout }) };
}

function find(findings: readonly Finding[], name: string): Finding | undefined {
  return findings.find((finding) => finding.name === name);
}
