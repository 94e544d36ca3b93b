/** JSON data as YAML in block style: texts of several lines as they are, others plain where no reader could take them for something else. */
export function printYaml(value: unknown): string {
  return `${block(value, '')}\n`.replace(/^\n/, '');
}

/** What stands behind `key:` or `-`; what does not fit on that line starts with a line break. */
function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${indent}-${inItem(block(item, `${indent}  `))}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return ' {}';
    const lines = members.map(
      ([key, member]) =>
        `\n${indent}${isPlain(key.replace('$', '')) ? key : JSON.stringify(key)}:${block(member, `${indent}  `)}`,
    );
    return lines.join('');
  }
  return ` ${scalar(value, indent)}`;
}

/** The first member of an object stands on the line of its dash. */
function inItem(text: string): string {
  return text.replace(/^\n +/, ' ');
}

function scalar(value: unknown, indent: string): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const isLiteral = value.includes('\n') && /^\S/.test(value) && !/\s$|[^\P{C}\n]/u.test(value);
  if (isLiteral) return `|-\n${value.replace(/^(?=.)/gm, indent)}`;
  return isPlain(value) ? value : JSON.stringify(value);
}

/** Words that cannot be a number, a truth value, null or a mark of YAML's own. */
function isPlain(text: string): boolean {
  if (/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)) return false;
  return /^[A-Za-z/][\w./-]*( [\w(][\w./,;()'-]*)*$/.test(text);
}
