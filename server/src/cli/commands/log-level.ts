import { type HttpAnswer, HttpConnection, refusalOf } from '../clients/http-connection.ts';
import { ClientError } from '../clients/ingest-client.ts';
import { defineCommand } from '../command.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { durationOf } from '../flag-values.ts';
import { addressFlags, hubAddress } from '../hub-address.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import { openRecordOutput, type RecordShape } from '../output/record-output.ts';

export const logLevel = defineCommand({
  name: 'log-level',
  summary: "Show or change the level of a running hub's log.",
  description:
    'Asks one hub process, at its HTTP address, which every role has. Without a level it says which one holds. With one, all lines of that process obey at once, until the time is over, the next change or the next start. Needs a credential with the scope admin where the hub asks for one, or others can reach it.',
  actions: {
    trace: 'Everything.',
    debug: 'What helps to find a fault.',
    info: 'What the hub begins and ends, one line each, and one for each minute.',
    warn: 'What is odd.',
    error: 'What failed.',
    fatal: 'What ended the process.',
    silent: 'Nothing.',
  },
  isActionOptional: true,
  flags: {
    for: {
      kind: 'text',
      value: 'TIME',
      help: 'How long, as in 10m, at most 7d; then the configured level holds again.',
    },
    output: reportOutputFlag,
    url: addressFlags.url,
  },
  examples: [
    ['event-hub log-level', 'which one holds'],
    ['event-hub log-level debug --for 10m', 'more for a while'],
    ['event-hub log-level warn --url http://10.0.0.7:8000', 'less, on another machine'],
  ],
  run: async ({ action, flags, terminal }) => {
    if (flags.for !== undefined) {
      if (action === '') throw usageError('--for goes with a level, as in log-level debug');
      durationOf('for', flags.for);
    }
    const change = action === '' ? undefined : { level: action, for: flags.for };
    const found = await ask(flags.url, change);
    const output = openRecordOutput(formatOf(flags.output, terminal), levelShape, terminal);
    await output.write(found);
    await output.end();
    return exitCode.done;
  },
});

/** As the hub says it. */
interface FoundLevel {
  readonly level: string;
  readonly configured_level: string;
  readonly until: string | null;
}

const levelShape: RecordShape<FoundLevel> = {
  columns: [
    { name: 'level', width: 6, text: ({ level }) => level },
    { name: 'configured_level', width: 16, text: ({ configured_level: level }) => level },
    { name: 'until', width: 24, text: ({ until }) => until ?? '' },
  ],
  json: ({ level, configured_level, until }) => JSON.stringify({ level, configured_level, until }),
};

async function ask(urlFlag: string | undefined, change: object | undefined): Promise<FoundLevel> {
  const { url, credential, tls } = hubAddress({ url: urlFlag });
  const connection = new HttpConnection(url, 1, credential, tls);
  try {
    const answer = await connection.exchange({
      path: 'log-level',
      ...(change === undefined
        ? { method: 'GET', headers: {} }
        : {
            method: 'PUT',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(change),
          }),
    });
    if (answer.status !== 200) throw refusalOf(answer);
    return levelIn(answer);
  } catch (reason) {
    if (reason instanceof ClientError) throw ending(reason, url);
    throw reason;
  } finally {
    connection.close();
  }
}

/** What else answers under that address may say 200 too. */
function levelIn(answer: HttpAnswer): FoundLevel {
  let found: Partial<FoundLevel> | null;
  try {
    found = JSON.parse(answer.text);
  } catch {
    throw refusalOf(answer);
  }
  if (typeof found?.level !== 'string') throw refusalOf(answer);
  return found as FoundLevel;
}

function ending({ code, message }: ClientError, url: string): CommandError {
  if (code === 'unreachable') {
    return new CommandError(exitCode.unreachable, `${message}: is a hub running at ${url}?`);
  }
  return new CommandError(exitOf(code), message);
}

function exitOf(code: ClientError['code']): ExitCode {
  if (code === 'invalid' || code === 'unreadable') return exitCode.usage;
  return code === 'unexpected' ? exitCode.unreachable : exitCode.refused;
}
