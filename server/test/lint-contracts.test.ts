import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { describeWith } from './support/needed-program.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const contracts = join(import.meta.dirname, '../../contracts');
const rules = join(contracts, 'spectral.yaml');

describeWith('contracts/spectral.yaml', 'spectral', (spectral) => {
  const lint = (file: string) => {
    const args = ['lint', '--ruleset', rules, '--fail-severity', 'warn', '--format', 'text', file];
    const { status, stdout } = spawnSync(spectral, args, { encoding: 'utf8' });
    return { status, stdout };
  };

  it.each(['openapi.json', 'asyncapi.yaml'])('has nothing against %s', (name) => {
    const { status, stdout } = lint(join(contracts, name));
    expect(stdout).toMatch(/^No results/m);
    expect(status).toBe(0);
  });

  it('has something against a document with a reference that leads nowhere', () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const text = readFileSync(join(contracts, 'openapi.json'), 'utf8');
    const file = join(folder.path, 'openapi.json');
    writeFileSync(file, text.replace('#/components/schemas/', '#/components/nowhere/'));
    const { status, stdout } = lint(file);
    expect(stdout).toContain('invalid-ref');
    expect(status).not.toBe(0);
  });
});
