import type { DeclaredSetting } from '../config/declared-settings.ts';
import type { Command, Flag } from './command.ts';
import { exitCode } from './exit-code.ts';

/** `event-hub --help`, from the registry's summaries. */
export function renderOverview(
  version: string,
  commands: Readonly<Record<string, { readonly summary: string }>>,
): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return `event-hub ${version}: takes money events over REST, gRPC and GraphQL, never loses one, never counts one twice

Usage: event-hub <command> [flags]

${columns(rows)}

event-hub <command> --help explains a command, event-hub --version names the version.
send, generate, tail, log-level, import and import-prototype speak to a running hub (EVENT_HUB_URL,
EVENT_HUB_GRPC_URL), copy goes by its own URLs, the others by the hub's settings (docs/config.md).
Data goes to stdout, everything else to stderr.

${exitCodes}`;
}

/** `event-hub <command> --help`, from its declaration. */
export function renderHelp(command: Command, settings: readonly DeclaredSetting[]): string {
  const actions = Object.entries(command.actions ?? {});
  const [opening, closing] = command.isActionOptional === true ? '[]' : '<>';
  const names = actions.map(([name]) => name).join('|');
  const action = actions.length === 0 ? '' : ` ${opening}${names}${closing}`;
  const flags = Object.entries(command.flags).map(
    ([name, flag]) => [spelling(name, flag), explanation(flag)] as const,
  );
  const parts = [
    `Usage: event-hub ${command.name}${action} [flags]\n\n${wrap(command.description, widthMax).join('\n')}`,
    ...(actions.length === 0 ? [] : [`Actions:\n${columns(actions)}`]),
    `Flags:\n${columns([...flags, ...(command.usesSettings ? [configFlag] : []), helpFlag])}`,
    ...(command.usesSettings ? [settingsHelp(command, settings)] : []),
    `Examples:\n${command.examples.map(([line, what]) => `  # ${what}\n  ${line}`).join('\n')}`,
    exitCodes,
  ];
  return `${parts.join('\n\n')}`;
}

const configFlag = ['--config FILE', 'The settings file. (event-hub.json)'] as const;
const helpFlag = ['--help', 'This page.'] as const;

function settingsHelp(command: Command, settings: readonly DeclaredSetting[]): string {
  if (command.name !== 'serve') {
    return 'The settings of the hub apply: event-hub.json, EVENT_HUB_* and the flags of `event-hub serve --help`.';
  }
  const rows = settings.map(({ flag, standsAlone, description, defaultText }) => {
    const value = standsAlone ? '' : ' VALUE';
    return [`--${flag}${value}`, `${plain(description)} (${plain(defaultText)})`] as const;
  });
  return `Settings, also as EVENT_HUB_* variables and in event-hub.json, see docs/config.md:\n${columns(rows)}`;
}

const exitCodes = `Exit codes: ${exitCode.done} all is done, ${exitCode.refused} some were refused or something is wrong, ${exitCode.usage} usage or settings, ${exitCode.unreachable} hub unreachable
`;

function spelling(name: string, flag: Flag): string {
  return flag.kind === 'switch' ? `--${name}` : `--${name} ${flag.value ?? 'VALUE'}`;
}

function explanation({ kind, help, choices, default: fallback }: Flag): string {
  const chosen = choices === undefined ? '' : ` One of ${choices.join(', ')}.`;
  const repeated = kind === 'list' ? ' May be repeated.' : '';
  return `${help}${chosen}${repeated}${fallback === undefined ? '' : ` (${fallback})`}`;
}

const indent = 2;
const widthMax = 100;

/** Names in one column, wrapped sentences in the other. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const nameWidth = Math.max(...rows.map(([name]) => name.length)) + 2;
  const textWidth = widthMax - indent - nameWidth;
  return rows
    .map(([name, text]) => {
      const lines = wrap(text, textWidth);
      const rest = lines.slice(1).map((line) => `${' '.repeat(indent + nameWidth)}${line}`);
      return [`${' '.repeat(indent)}${name.padEnd(nameWidth)}${lines[0] ?? ''}`, ...rest].join(
        '\n',
      );
    })
    .join('\n');
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
