import type { Finding } from '../../src/base/finding.ts';
import { type CliOptions, jsonLines, runCli } from './run-cli.ts';

export interface Examined {
  readonly code: number | null;
  readonly findings: readonly Finding[];
  /** The first with this name. */
  find(name: string): Finding | undefined;
}

/** What `event-hub doctor` says. */
export async function examined(
  flags: readonly string[],
  options: CliOptions = {},
): Promise<Examined> {
  const { code, stdout } = await runCli(['doctor', '--output=ndjson', ...flags], options);
  const findings = jsonLines<Finding>({ stdout });
  return { code, findings, find: (name) => findings.find((finding) => finding.name === name) };
}
