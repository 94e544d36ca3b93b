import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { describeWith } from './support/needed-program.ts';
import { readYaml } from './support/read-yaml.ts';
import { exists, findFiles, repository } from './support/source-files.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
}

interface Workflow {
  readonly name: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

const files = findFiles('.github/workflows/*.yml');
const texts = files.map((path) => ({
  path,
  text: readFileSync(join(repository, path), 'utf8'),
}));

describe('the pipelines', () => {
  it('are three: for every change, for the image, for a release', () => {
    expect(files).toEqual([
      '.github/workflows/ci.yml',
      '.github/workflows/image.yml',
      '.github/workflows/release.yml',
    ]);
  });

  it('use what others wrote by its commit alone, and say which version that is', () => {
    const used = texts.flatMap(({ text }) => text.match(/\buses:.*$/gm) ?? []);
    const pinned = /^uses: (?!\.)[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    const ownFile = /^uses: \.\/(\.github\/workflows\/[\w-]+\.yml)$/;
    const isOwn = (line: string) => files.includes(ownFile.exec(line)?.[1] ?? '');
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((line) => !pinned.test(line) && !isOwn(line))).toEqual([]);
  });

  it('take one commit of each action', () => {
    const actions = texts.flatMap(
      ({ text }) => text.match(/[\w-]+\/[\w./-]+@[0-9a-f]{40} # .+$/gm) ?? [],
    );
    const names = new Set(actions.map((action) => action.split('@')[0]));
    expect(new Set(actions).size).toBe(names.size);
  });

  it('know no secret but the token of the run', () => {
    const secrets = texts.flatMap(({ text }) => text.match(/secrets[.[][^\s}]*/g) ?? []);
    expect(new Set(secrets)).toEqual(new Set(['secrets.GITHUB_TOKEN']));
  });
});

describeWith('the pipelines, read', 'python', (python) => {
  let read: readonly (Workflow & { readonly path: string })[] | undefined;
  const workflowsOf = (context: TestContext) => {
    read ??= files.map((path) => ({ path, ...(readYaml(context, python, path) as Workflow) }));
    return read;
  };
  const jobsOf = (context: TestContext) =>
    workflowsOf(context).flatMap(({ path, jobs }) =>
      Object.entries(jobs).map(([name, job]) => ({ at: `${path} ${name}`, name, job })),
    );
  const scriptsOf = (context: TestContext) =>
    jobsOf(context).flatMap(({ job }) => (job.steps ?? []).flatMap(({ run }) => run ?? []));

  it('may read, and write only where a job is there for it', (context) => {
    for (const { permissions } of workflowsOf(context)) {
      expect(permissions).toEqual({ contents: 'read' });
    }
    const writing = jobsOf(context).flatMap(({ at, job }) =>
      Object.entries(job.permissions ?? {})
        .filter(([, right]) => right !== 'read')
        .map(([what]) => `${at}: ${what}`),
    );
    expect(writing).toEqual([
      '.github/workflows/image.yml publish: packages',
      '.github/workflows/release.yml image: packages',
      '.github/workflows/release.yml release: contents',
    ]);
  });

  it('end: every job that has steps has a time by which it is over', (context) => {
    const endless = jobsOf(context).filter(
      ({ job }) => job.uses === undefined && job['timeout-minutes'] === undefined,
    );
    expect(endless.map(({ at }) => at)).toEqual([]);
  });

  it('wait in a group of their own, also when one calls another', (context) => {
    const groups = workflowsOf(context).map(({ concurrency }) => concurrency.group);
    expect(new Set(groups).size).toBe(files.length);
    expect(groups.filter((group) => group.includes('github.workflow'))).toEqual([]);
  });

  it('run scripts of package.json and files that there are', (context) => {
    const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const text = scriptsOf(context).join('\n');
    const named = [...text.matchAll(/\bnpm (?:run )?([\w:]+)/g)].map(([, name = '']) => name);
    const own = named.filter((name) => !['ci', 'install'].includes(name));
    expect(new Set(own)).toContain('test');
    expect(own.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
    const scripts = text.match(/(?<=^|\s)(server|deploy)\/[\w./-]+|(?<=^|\s)\.ci\/[\w-]+/gm) ?? [];
    expect(scripts.length).toBeGreaterThan(3);
    expect(scripts.filter((path) => !exists(path))).toEqual([]);
    for (const path of scripts.filter((each) => each.startsWith('.ci/'))) {
      accessSync(join(repository, path), constants.X_OK);
    }
  });

  it('put no expression into a script, where it could be more than text', (context) => {
    const scripts = scriptsOf(context);
    expect(scripts.length).toBeGreaterThan(10);
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });

  it('do what .ci/run does', (context) => {
    const whole = readFileSync(join(repository, '.ci/run'), 'utf8');
    const steps = whole.match(/^(npm (ci|run \S+|test)|\.ci\/\S+)/gm) ?? [];
    expect(steps.length).toBeGreaterThan(8);
    const run = scriptsOf(context).join('\n');
    expect([...new Set(steps)].filter((step) => !run.includes(step))).toEqual([]);
  });
});

describeWith('actionlint', 'actionlint', (actionlint) => {
  it('finds nothing in the workflows', () => {
    const { status, stdout, stderr } = spawnSync(actionlint, ['-no-color', ...files], {
      cwd: repository,
      encoding: 'utf8',
    });
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  });

  it('would find what is wrong', () => {
    const wrong =
      'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - runs: npm ci\n';
    const { status, stdout } = spawnSync(actionlint, ['-no-color', '-'], {
      input: wrong,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout).toContain('runs');
  });
});
