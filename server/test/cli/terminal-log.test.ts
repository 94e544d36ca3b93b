import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from '../support/needed-program.ts';
import { cliEntry, startCli, startProgram } from '../support/run-cli.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const spawnOnTerminal = 'import pty, sys; pty.spawn(sys.argv[1:])';

describeWith('the log of event-hub serve', 'python', (python) => {
  it('is coloured sentences on a terminal, and JSON lines elsewhere', async () => {
    const folder = temporaryFolder();
    const flagsFor = (name: string) => {
      const file = join(folder.path, `${name}.db`);
      return ['serve', '--http-port=0', '--grpc-port=0', `--log=sqlite:${file}`];
    };
    const shown = startProgram(
      python,
      ['-c', spawnOnTerminal, process.execPath, cliEntry, ...flagsFor('terminal')],
      { env: { TERM: 'xterm-256color' } },
    );
    await shown.until(/the hub serves[\s\S]*durability/);
    // Ctrl-C, by the terminal.
    shown.process.stdin.write('\x03');
    const { stdout } = await shown.result;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for.
    expect(stdout).toMatch(/\[\d\d:\d\d:\d\d\.\d{3}\] \x1b\[32mINFO\x1b\[39m: .*the hub serves/);
    expect(stdout).toContain('the hub has stopped');
    expect(stdout).not.toContain('"msg"');

    const piped = startCli(flagsFor('piped'));
    await piped.until(/\n/);
    piped.process.kill('SIGINT');
    const { stderr } = await piped.result;
    folder.remove();
    const lines = stderr.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'the hub serves',
      'the hub stops',
      'the hub has stopped',
    ]);
  });
});
