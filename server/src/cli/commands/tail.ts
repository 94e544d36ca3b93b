import { systemClock } from '../../base/clock.ts';
import { EventFollower } from '../clients/follow-events.ts';
import { HttpConnection } from '../clients/http-connection.ts';
import { ClientError } from '../clients/ingest-client.ts';
import { defineCommand } from '../command.ts';
import { CommandError, type ExitCode, exitCode } from '../exit-code.ts';
import { filterFlags, filterQuery } from '../filter-flags.ts';
import { countOf } from '../flag-values.ts';
import { addressFlags, hubAddress } from '../hub-address.ts';
import { eventShape } from '../output/event-shape.ts';
import { formatOf, outputFlag } from '../output/output-flag.ts';
import { openRecordOutput } from '../output/record-output.ts';

export const tail = defineCommand({
  name: 'tail',
  summary: 'Follow events live; resumes by itself.',
  description:
    'Writes events as they are stored, in log order. A lost connection is opened anew after the last event, without a gap or a repetition. At the end stderr names the position to go on from.',
  flags: {
    after: {
      kind: 'text',
      value: 'POSITION',
      default: 'end',
      help: 'Where to begin: start, end, or a position.',
    },
    follow: { kind: 'switch', help: 'Go on with what comes; --no-follow ends where history ends.' },
    limit: { kind: 'text', value: 'N', help: 'End after so many events.' },
    ...filterFlags,
    output: outputFlag,
    url: addressFlags.url,
  },
  examples: [
    ['event-hub tail', 'what comes from now on'],
    ['event-hub tail --after start --no-follow --output csv', 'everything there is, then the end'],
    ['event-hub tail --user-id u1 --event-type purchase', 'the purchases of one user'],
  ],
  run: async ({ flags, terminal, interrupted }) => {
    const { url, credential, tls } = hubAddress(flags);
    const limit =
      flags.limit === undefined ? Number.POSITIVE_INFINITY : countOf('limit', flags.limit, 1);
    const follow = flags.follow !== false;
    const connection = new HttpConnection(url, 1, credential, tls);
    const follower = new EventFollower(connection, {
      clock: systemClock,
      after: flags.after,
      follow,
      query: filterQuery(flags),
      signal: interrupted,
      onCaughtUp: () => {
        if (follow) terminal.err(`following ${url}`);
      },
      onLost: (reason, waitMs) =>
        terminal.err(`${reason}; going on in ${(waitMs / 1_000).toFixed(1)} s`),
    });
    const output = openRecordOutput(formatOf(flags.output, terminal), eventShape, terminal);
    let resumeAt = flags.after;
    let left = limit;
    try {
      await output.flush();
      for await (const events of follower.events()) {
        for (const event of events.slice(0, left)) {
          await output.write(event);
          resumeAt = event.position;
        }
        await output.flush();
        left -= events.length;
        if (left <= 0) break;
      }
      if (left > 0) resumeAt = follower.after;
      return exitCode.done;
    } catch (reason) {
      if (reason instanceof ClientError) throw ending(reason, url);
      throw reason;
    } finally {
      await output.end();
      connection.close();
      terminal.err(`go on with --after ${resumeAt}`);
    }
  },
});

function ending(failure: ClientError, url: string): CommandError {
  if (failure.code === 'unreachable') {
    return new CommandError(
      exitCode.unreachable,
      `${failure.message}: is a hub running at ${url}?`,
    );
  }
  const goOn = failure.position === undefined ? '' : `; go on with --after ${failure.position}`;
  return new CommandError(exitOf(failure), `${failure.message}${goOn}`);
}

function exitOf({ code }: ClientError): ExitCode {
  if (code === 'invalid' || code === 'unreadable') return exitCode.usage;
  return code === 'unexpected' ? exitCode.unreachable : exitCode.refused;
}
