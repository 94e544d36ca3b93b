import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** One flag, declared once: parsing and help follow from it. */
export interface Flag {
  readonly kind: 'text' | 'switch' | 'list';
  /** What stands for the value in the help: `N`, `FILE`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** What holds without the flag; also the value that the command then gets. */
  readonly default?: string;
  readonly help: string;
}

export type Flags = Readonly<Record<string, Flag>>;

/** The values by flag name, as the kinds of the flags say. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends { kind: 'switch' }
    ? boolean | undefined
    : F[Name] extends { kind: 'list' }
      ? readonly string[]
      : F[Name] extends { default: string }
        ? string
        : string | undefined;
};

/** What the command line says of the hub's settings. */
export interface SettingFlags {
  readonly argv: readonly string[];
  /** `--config` */
  readonly file: string | undefined;
}

export interface Invocation<F extends Flags> {
  readonly flags: FlagValues<F>;
  /** The word after the command, where it has actions. */
  readonly action: string;
  readonly settingFlags: SettingFlags;
  readonly terminal: Terminal;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
}

export interface Command<F extends Flags = Flags> {
  readonly name: string;
  /** A line in the list of commands. */
  readonly summary: string;
  /** Paragraphs under the usage line. */
  readonly description: string;
  readonly actions?: Readonly<Record<string, string>>;
  /** It may be left out; the action is then empty. */
  readonly isActionOptional?: boolean;
  readonly flags: F;
  /** Takes the hub's settings, as flags too. */
  readonly usesSettings?: boolean;
  /** Handles signals itself instead of through `interrupted`. */
  readonly handlesSignals?: boolean;
  /** Command lines that can be run as they are, each with what it does. */
  readonly examples: readonly (readonly [commandLine: string, what: string])[];
  run(invocation: Invocation<F>): Promise<ExitCode>;
}

/** Keeps the flags' own types, so that `run` knows its values. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}
