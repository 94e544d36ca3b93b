import { parseArgs } from 'node:util';
import type { DeclaredSetting } from '../config/declared-settings.ts';
import { suggestion } from '../config/suggestion.ts';
import type { Command, Flag, Flags, FlagValues, SettingFlags } from './command.ts';
import { usageError } from './exit-code.ts';

export interface ParsedCommandLine {
  readonly flags: FlagValues<Flags>;
  readonly action: string;
  readonly settingFlags: SettingFlags;
  readonly help: boolean;
}

/** The flags of the settings, where a command takes them. */
export type SettingNames = readonly Pick<DeclaredSetting, 'flag' | 'standsAlone'>[];

/** Reads a command's own flags and sets those of the settings aside. Throws with every fault in one message. */
export function parseCommandLine(
  command: Command,
  argv: readonly string[],
  settings: SettingNames,
): ParsedCommandLine {
  const flags = new Map<string, string | boolean | string[]>();
  const settingsArgv: string[] = [];
  let configFile: string | undefined;
  const positionals: string[] = [];
  const faults: string[] = [];
  let help = false;
  for (const token of tokensOf(command, argv, settings)) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const flag = command.flags[name];
    if (name === 'help' || rawName === '-h') help = true;
    else if (flag !== undefined) addFlag(flags, flag, token, faults);
    else if (command.usesSettings && name === 'config') {
      if (value === undefined) faults.push('--config needs a value');
      configFile = value;
    } else if (settings.some((setting) => setting.flag === name)) {
      settingsArgv.push(value === undefined ? rawName : `${rawName}=${value}`);
    } else
      faults.push(
        `unknown flag ${rawName}${suggestion(rawName, namesOf(command, settings), '--')}`,
      );
  }
  const action = takeAction(command, positionals, faults, help);
  if (faults.length > 0 && !help) {
    throw usageError(`${faults.join('\n')}\nsee event-hub ${command.name} --help`);
  }
  return {
    flags: withDefaults(command, flags),
    action,
    settingFlags: { argv: settingsArgv, file: configFile },
    help,
  };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function tokensOf(command: Command, argv: readonly string[], settings: SettingNames) {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  if (command.usesSettings) options.config = { type: 'string' };
  for (const { flag, standsAlone } of settings) {
    options[flag] = { type: standsAlone ? 'boolean' : 'string' };
  }
  for (const [name, { kind }] of Object.entries(command.flags)) {
    options[name] = { type: kind === 'switch' ? 'boolean' : 'string' };
  }
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowNegative: true,
    tokens: true,
  });
  return tokens;
}

function addFlag(
  flags: Map<string, string | boolean | string[]>,
  flag: Flag,
  { name, rawName, value, inlineValue }: OptionToken,
  faults: string[],
): void {
  if (flag.kind === 'switch') {
    if (value === undefined) flags.set(name, rawName === `--${name}`);
    else faults.push(`${rawName} stands alone, without a value`);
    return;
  }
  if (value === undefined || (!inlineValue && value.startsWith('--'))) {
    faults.push(`${rawName} needs a value`);
  } else if (flag.choices !== undefined && !flag.choices.includes(value)) {
    faults.push(`${rawName} must be ${flag.choices.join(', ')}, not '${value}'`);
  } else if (flag.kind === 'list') {
    const values = flags.get(name);
    flags.set(name, Array.isArray(values) ? [...values, value] : [value]);
  } else if (flags.has(name)) {
    faults.push(`${rawName} is there twice: keep one`);
  } else flags.set(name, value);
}

function takeAction(
  command: Command,
  positionals: readonly string[],
  faults: string[],
  help: boolean,
): string {
  const [first = '', ...rest] = positionals;
  const actions = Object.keys(command.actions ?? {});
  const unexpected = actions.length === 0 ? positionals : rest;
  for (const word of unexpected) faults.push(`unexpected argument ${word}`);
  const isLeftOut = command.isActionOptional === true && positionals.length === 0;
  if (actions.length > 0 && !help && !isLeftOut && !actions.includes(first)) {
    faults.push(`say which: event-hub ${command.name} ${actions.join('|')}`);
  }
  return first;
}

/** The declarations say which kind each value has, which the type of a command's own flags repeats. */
function withDefaults(
  command: Command,
  given: ReadonlyMap<string, string | boolean | string[]>,
): FlagValues<Flags> {
  const values: Record<string, string | boolean | readonly string[] | undefined> = {};
  for (const [name, flag] of Object.entries(command.flags)) {
    values[name] = given.get(name) ?? (flag.kind === 'list' ? [] : flag.default);
  }
  return values as FlagValues<Flags>;
}

function namesOf(command: Command, settings: SettingNames): readonly string[] {
  const names = ['help', ...Object.keys(command.flags), ...settings.map(({ flag }) => flag)];
  if (command.usesSettings) names.push('config');
  return names.map((name) => `--${name}`);
}
