import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { leaveOut } from './needed-program.ts';
import { repository } from './source-files.ts';

const code = `import json, sys, yaml
with open(sys.argv[1], encoding="utf-8") as file:
    json.dump(yaml.safe_load(file), sys.stdout)`;

/** A YAML file of the repository, with its anchors and merges resolved. Leaves the test out where PyYAML is missing. */
export function readYaml(context: TestContext, python: string, path: string): unknown {
  try {
    const output = execFileSync(python, ['-c', code, join(repository, path)], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return JSON.parse(output);
  } catch (reason) {
    if (!String(reason).includes("No module named 'yaml'")) throw reason;
    leaveOut(context, `PyYAML is missing beside ${python}: install python3-yaml`);
  }
}
