import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/base/finding.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

const freePorts = ['--http-port=0', '--grpc-port=0'];
let folder: TemporaryFolder;
let hub: TestHub | undefined;

/** `event-hub doctor`. */
export function examiningSuite(): void {
  describe('event-hub doctor', () => {
    beforeEach(() => {
      folder = temporaryFolder();
    });
    afterEach(async () => {
      await hub?.remove();
      hub = undefined;
      folder.remove();
    });

    it('finds nothing wrong before the first start, and makes nothing', async () => {
      const { code, findings } = await doctor(...freePorts);
      expect({ code, failed: findings.filter(({ state }) => state === 'fail') }).toEqual({
        code: 0,
        failed: [],
      });
      expect(find(findings, 'file')?.detail).toContain('is not there yet');
      expect(readdirSync(folder.path)).toEqual([]);
    });

    it('knows a running hub by its ports, and looks at its file', async () => {
      hub = await startTestHub();
      const { http, grpc } = portsOf(hub);
      const { code, findings } = await doctor(
        `--http-port=${http}`,
        `--grpc-port=${grpc}`,
        `--log=${hub.settings.log}`,
      );
      expect(code).toBe(0);
      expect(find(findings, 'http')?.detail).toMatch(/a hub runs here and is ready; SQLite WAL/);
      expect(find(findings, 'grpc')?.detail).toMatch(/a hub runs here and serves/);
      expect(find(findings, 'lock')?.detail).toBe('a hub runs on the file');
      expect(find(findings, 'integrity')?.state).toBe('ok');
    });

    it('notices settings that the store does not agree with', async () => {
      hub = await startTestHub();
      const { code, findings } = await doctor(
        ...freePorts,
        `--log=${hub.settings.log}`,
        '--event-types=sale:+',
      );
      expect(code).toBe(1);
      expect(find(findings, 'agreement')?.detail).toContain('event-hub config adopt');
    });
  });
}

async function doctor(...flags: readonly string[]) {
  const { code, stdout } = await runCli(['doctor', '--output=ndjson', ...flags], {
    folder: folder.path,
  });
  return { code, findings: jsonLines<Finding>({ stdout }) };
}

function find(findings: readonly Finding[], name: string): Finding | undefined {
  return findings.find((finding) => finding.name === name);
}

function portsOf({ url, grpcAddress }: TestHub) {
  return { http: new URL(url).port, grpc: grpcAddress.split(':').at(-1) };
}
