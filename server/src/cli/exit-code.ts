/** How a command ended, for scripts. */
export const exitCode = {
  /** All is done; everything was stored. */
  done: 0,
  /** Some events were refused, something differs, a check failed. */
  refused: 1,
  /** The command line or the settings cannot be used. */
  usage: 2,
  /** The hub could not be reached, or took nothing for too long. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Ends a command with one line for people. */
export class CommandError extends Error {
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string) {
    super(message);
    this.name = 'CommandError';
    this.exit = exit;
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(exitCode.usage, message);
}
