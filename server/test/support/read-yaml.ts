import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { leaveOut } from './needed-program.ts';
import { repository } from './source-files.ts';

const code = `import json, sys, yaml
text = sys.stdin.buffer.read().decode("utf-8")
json.dump([part for part in yaml.safe_load_all(text) if part is not None], sys.stdout)`;

/** A YAML file of the repository, with its anchors and merges resolved. Leaves the test out where PyYAML is missing. */
export function readYaml(context: TestContext, python: string, path: string): unknown {
  const documents = parseYaml(context, python, readFileSync(join(repository, path), 'utf8'));
  if (documents.length === 1) return documents[0];
  throw new Error(`${path} has ${documents.length} documents`);
}

/** The documents of a text, without empty ones. */
export function parseYaml(context: TestContext, python: string, text: string): readonly unknown[] {
  try {
    const output = execFileSync(python, ['-c', code], {
      input: text,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return JSON.parse(output);
  } catch (reason) {
    if (!String(reason).includes("No module named 'yaml'")) throw reason;
    leaveOut(context, `PyYAML is missing beside ${python}: install python3-yaml`);
  }
}
