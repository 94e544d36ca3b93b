import { describe, expect, it } from 'vitest';
import { defineCommand } from '../../src/cli/command.ts';
import { CommandError } from '../../src/cli/exit-code.ts';
import { parseCommandLine } from '../../src/cli/parse-command-line.ts';
import { commands } from '../../src/cli/registry.ts';
import { declaredSettings } from '../../src/config/declared-settings.ts';
import { version } from '../../src/version.ts';
import { runCli } from '../support/run-cli.ts';

describe('event-hub', () => {
  it('explains itself and every command', async () => {
    const overview = await runCli(['--help']);
    expect(overview.code).toBe(0);
    expect(overview.stderr).toBe('');
    const names = Object.keys(commands);
    for (const name of names) expect(overview.stdout).toContain(`  ${name} `);
    const pages = await Promise.all(names.map((name) => runCli([name, '--help'])));
    for (const [index, { code, stdout }] of pages.entries()) {
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: event-hub ${names[index]}\\b`));
      expect(stdout).toContain('Examples:');
      expect(stdout).toContain('Exit codes:');
    }
  });

  it('gives the same page for help and --help', async () => {
    const [help, flag] = await Promise.all([runCli(['help', 'send']), runCli(['send', '--help'])]);
    expect(help).toEqual(flag);
  });

  it('names its version', async () => {
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('ends with 2 and the nearest name for what it does not know', async () => {
    const [nothing, command, flag, action] = await Promise.all([
      runCli([]),
      runCli(['generat']),
      runCli(['send', '--usr-id', 'u1', '--amout', '5']),
      runCli(['metrics', 'shw']),
    ]);
    expect(nothing?.code).toBe(2);
    expect(command).toMatchObject({ code: 2, stdout: '' });
    expect(command.stderr).toContain('unknown command generat; did you mean generate?');
    expect(flag).toMatchObject({ code: 2, stdout: '' });
    expect(flag.stderr).toContain('unknown flag --usr-id; did you mean --user-id?');
    expect(flag.stderr).toContain('unknown flag --amout; did you mean --amount?');
    expect(action.stderr).toContain('event-hub metrics show|verify|rebuild');
  });

  it('has no colours and no cursor movements where nobody looks', async () => {
    const { stdout, stderr } = await runCli(['config', 'print'], {
      env: { TERM: 'xterm-256color' },
    });
    expect(stdout + stderr).not.toContain('\x1b');
  });
});

describe('a command line', () => {
  const command = defineCommand({
    name: 'example',
    summary: '',
    description: '',
    flags: {
      name: { kind: 'text', default: 'nobody', help: '' },
      tag: { kind: 'list', help: '' },
      loud: { kind: 'switch', help: '' },
      shape: { kind: 'text', choices: ['round', 'square'], help: '' },
    },
    usesSettings: true,
    examples: [],
    run: async () => 0,
  });
  const parse = (...argv: string[]) => parseCommandLine(command as never, argv, declaredSettings);

  it('fills in defaults', () => {
    expect(parse().flags).toEqual({ name: 'nobody', tag: [], loud: undefined, shape: undefined });
  });

  it('collects lists, negates switches and sets settings aside', () => {
    const { flags, settingFlags } = parse(
      '--tag=a',
      '--tag',
      'b',
      '--no-loud',
      '--http-port',
      '1',
      '--config',
      'x.json',
    );
    expect(flags).toMatchObject({ tag: ['a', 'b'], loud: false });
    expect(settingFlags).toEqual({ argv: ['--http-port=1'], file: 'x.json' });
  });

  it('takes values that begin with a dash', () => {
    expect(parse('--name', '-5').flags.name).toBe('-5');
    expect(parse('--name=--x').flags.name).toBe('--x');
  });

  it.each([
    ['--name', '--name needs a value'],
    ['--name --loud', '--name needs a value'],
    ['--loud=yes', '--loud stands alone, without a value'],
    ['--shape=flat', "--shape must be round, square, not 'flat'"],
    ['--name a --name b', '--name is there twice: keep one'],
    ['word', 'unexpected argument word'],
  ])('refuses %s', (line, message) => {
    expect(() => parse(...line.split(' '))).toThrow(CommandError);
    expect(() => parse(...line.split(' '))).toThrow(message);
  });
});
