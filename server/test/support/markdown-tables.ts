/** A table of a Markdown text, without its head: cells as they are written. */
export type Table = readonly (readonly string[])[];

/** Every table, in order. */
export function tablesOf(markdown: string): readonly Table[] {
  const blocks = markdown.match(/(^\|.*\|$\n?)+/gm) ?? [];
  return blocks.map((block) => block.trim().split('\n').slice(2).map(cellsOf));
}

/** What stands between backquotes. */
export function codeIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

function cellsOf(row: string): readonly string[] {
  return row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}
