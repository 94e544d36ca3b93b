/**
 * What the changelog says of one version: the text under `## 1.2.3`, which a date may follow,
 * up to the next heading of that rank. Undefined when there is no such heading; empty when nothing is under it.
 */
export function changelogSection(changelog: string, version: string): string | undefined {
  const lines = changelog.split(/\r?\n/);
  const isHeading = headings(lines);
  const start = lines.findIndex((line, index) => isHeading[index] && versionOf(line) === version);
  if (start === -1) return undefined;
  const end = lines.findIndex((_, index) => index > start && isHeading[index]);
  return lines
    .slice(start + 1, end === -1 ? undefined : end)
    .join('\n')
    .trim();
}

/** Which lines begin with `## `, outside code. */
function headings(lines: readonly string[]): readonly boolean[] {
  let isCode = false;
  return lines.map((line) => {
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode;
    return !isCode && line.startsWith('## ');
  });
}

/** `## 1.2.3`, `## [1.2.3] - 2026-11-30`. */
function versionOf(heading: string): string | undefined {
  return /^## \[?([^\s\]]+)/.exec(heading)?.[1];
}
