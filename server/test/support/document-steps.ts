import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './source-files.ts';

/** One copyable block of a document, and what it shows as its output. */
export interface DocumentStep {
  readonly command: string;
  readonly expected: string | undefined;
  /** `json` is on standard output; `text` may be on standard error too. */
  readonly kind: string | undefined;
}

/** A fenced block. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** Every fenced block of a Markdown text, in order. */
export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

export function readDocument(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

/** Those of a section of the README. */
export function readmeSteps(section: string): readonly DocumentStep[] {
  const readme = readDocument('README.md');
  const start = readme.indexOf(`\n## ${section}\n`);
  if (start === -1) throw new Error(`README.md has no section "${section}"`);
  return stepsOf(readme.slice(start + 1).split('\n## ')[0] ?? '');
}

/** Those of a whole document. */
export function documentSteps(path: string): readonly DocumentStep[] {
  return stepsOf(readDocument(path));
}

/**
 * The `bash` blocks, in order. A `json` or `text` block right after one is its
 * output; blocks without a language only illustrate.
 */
function stepsOf(markdown: string): readonly DocumentStep[] {
  const blocks = blocksOf(markdown);
  return blocks.flatMap(({ language, text: command }, index) => {
    if (language !== 'bash') return [];
    const next = blocks[index + 1];
    const kind = next?.language;
    const isOutput = kind === 'json' || kind === 'text';
    return [{ command, kind, expected: isOutput ? next?.text : undefined }];
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
