import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith, leaveOut } from './support/needed-program.ts';
import { generateStubs, pythonWithPackages } from './support/python-examples.ts';
import { repository } from './support/source-files.ts';
import { startTestHub, type TestHub } from './support/start-test-hub.ts';

const examples = join(repository, 'examples');
const installMsMax = 300_000;
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

describe('the examples', () => {
  it('are all named in their README', () => {
    const readme = readFileSync(join(examples, 'README.md'), 'utf8');
    const files = ['python', 'typescript'].flatMap((folder) =>
      readdirSync(join(examples, folder))
        .filter((name) => /\.(py|ts)$/.test(name))
        .map((name) => `examples/${folder}/${name}`),
    );
    expect(files).toHaveLength(6);
    expect(files.filter((file) => !readme.includes(file))).toEqual([]);
  });
});

describe('the TypeScript examples', () => {
  it.each(['rest', 'graphql', 'grpc'])('send, count and follow over %s', async (name) => {
    check(await run(process.execPath, join(examples, 'typescript', `${name}.ts`)));
  });
});

describeWith('the Python examples', 'python', (python) => {
  it.each(['rest', 'graphql'])('send, count and follow over %s', async (name) => {
    check(await run(python, join(examples, 'python', `${name}.py`)));
  });

  it('send, count and follow over grpc', { timeout: installMsMax }, async (context) => {
    const own = await pythonWithPackages(python).catch((reason) =>
      leaveOut(context, `the packages of the examples cannot be installed: ${reason}`),
    );
    await generateStubs(own, hub.folder);
    check(await run(own, join(examples, 'python', 'grpc_client.py'), { PYTHONPATH: hub.folder }));
  });
});

async function run(program: string, file: string, more: Record<string, string> = {}) {
  const env = {
    PATH: process.env.PATH,
    EVENT_HUB_URL: hub.url,
    EVENT_HUB_GRPC_URL: hub.grpcAddress,
    ...more,
  };
  return await promisify(execFile)(program, [file], { env });
}

function check({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): void {
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'first answer: success',
    'second answer: duplicate',
    expect.stringMatching(/^last 5 minutes: \d+ events, net [\d.]+ EUR$/),
    expect.stringMatching(/^followed: example-[0-9a-f-]{36} 149\.9 EUR$/),
  ]);
}
