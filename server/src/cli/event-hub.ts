/** The entry of the command line: `node server/src/cli/event-hub.ts <command>`. */
import { runCommandLine } from './run-command-line.ts';
import { processTerminal } from './terminal.ts';

// The reader of a pipe may stop early, as `head` does; that is no failure.
process.stdout.on('error', (reason: NodeJS.ErrnoException) => {
  process.exit(reason.code === 'EPIPE' ? 0 : 1);
});

const code = await runCommandLine(process.argv.slice(2), processTerminal());
process.stdout.write('', () => process.exit(code));
