import { HubError } from '../base/errors.ts';
import { SettingsError } from '../config/settings-error.ts';
import { suggestion } from '../config/suggestion.ts';
import { version } from '../version.ts';
import { CommandError, type ExitCode, exitCode } from './exit-code.ts';
import { renderHelp, renderOverview } from './help.ts';
import { interruption } from './interruption.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { commands } from './registry.ts';
import type { Terminal } from './terminal.ts';

/** Runs one command. Every failure that people can cause ends in lines on stderr and an exit code. */
export async function runCommandLine(
  argv: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    return await run(argv, terminal);
  } catch (reason) {
    const { lines, exit } = describe(reason);
    for (const line of lines) terminal.err(`event-hub: ${line}`);
    return exit;
  }
}

async function run(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name = '--help', ...rest] = argv[0] === 'help' ? [...argv.slice(1, 2), '--help'] : argv;
  if (name === '--version') {
    await terminal.out(`${version}\n`);
    return exitCode.done;
  }
  if (name === '--help' || name === '-h') {
    await terminal.out(renderOverview(version, commands));
    return argv.length === 0 ? exitCode.usage : exitCode.done;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    const nearest = suggestion(name, Object.keys(commands));
    throw new CommandError(
      exitCode.usage,
      `unknown command ${name}${nearest}\nsee event-hub --help`,
    );
  }
  const command = await entry.load();
  const settings = command.usesSettings
    ? (await import('../config/declared-settings.ts')).declaredSettings
    : [];
  const parsed = parseCommandLine(command, rest, settings);
  if (parsed.help) {
    await terminal.out(renderHelp(command, settings));
    return exitCode.done;
  }
  const interrupted = command.handlesSignals ? new AbortController().signal : interruption();
  return await command.run({ ...parsed, terminal, interrupted });
}

function describe(reason: unknown): { readonly lines: readonly string[]; readonly exit: ExitCode } {
  if (reason instanceof SettingsError) return { lines: reason.faults, exit: exitCode.usage };
  if (reason instanceof CommandError) {
    return { lines: reason.message.split('\n'), exit: reason.exit };
  }
  if (reason instanceof HubError && reason.code !== 'internal') {
    return { lines: [reason.message], exit: exitOf(reason) };
  }
  const cause = reason instanceof HubError ? (reason.cause ?? reason) : reason;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return { lines: text.split('\n'), exit: exitCode.refused };
}

/** Opening an engine fails as settings do; what is asked of it afterwards is refused. */
function exitOf(error: HubError): ExitCode {
  if (error.code === 'not_found' || error.code === 'unavailable') return exitCode.refused;
  return exitCode.usage;
}
