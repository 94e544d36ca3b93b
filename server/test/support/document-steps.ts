import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './source-files.ts';

/** One copyable block of the README, and what it shows as its output. */
export interface ReadmeStep {
  readonly command: string;
  readonly expected: string | undefined;
  /** `json` is on standard output; `text` may be on standard error too. */
  readonly kind: string | undefined;
}

/**
 * The `bash` blocks of a section, in order. A `json` or `text` block right after
 * one is its output; blocks without a language only illustrate.
 */
export function readmeSteps(section: string): readonly ReadmeStep[] {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const start = readme.indexOf(`\n## ${section}\n`);
  if (start === -1) throw new Error(`README.md has no section "${section}"`);
  const text = readme.slice(start + 1).split('\n## ')[0] ?? '';
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  return blocks.flatMap(([, language, command = ''], index) => {
    if (language !== 'bash') return [];
    const [, kind, expected] = blocks[index + 1] ?? [];
    const isOutput = kind === 'json' || kind === 'text';
    return [{ command, kind, expected: isOutput ? expected : undefined }];
  });
}

/** What differs from run to run: positions, ids that the hub made, times of now; and how JSON is laid out. */
export function comparable(output: string): string {
  const masked = output
    .replace(/\b\d{16}-[0-9a-f]{8}-[0-9a-f]{8}\b/g, 'POSITION')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'ID')
    .replace(/\b20(2[5-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'NOW');
  return (masked.match(/"(\\.|[^"\\])*"|[^\s"]+/g) ?? [])
    .join(' ')
    .replace(/ ?([[\]{},:]) ?/g, '$1');
}
