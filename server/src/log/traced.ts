import { HubError } from '../base/errors.ts';
import { isSampled, type Span, type Tracing } from '../base/tracing.ts';
import { decorated } from './decorated.ts';
import type { Appended, AppendGroup } from './event-log.ts';
import type { GroupCommitLog } from './group-commit.ts';

/**
 * A span for each call of `append`, from its arrival until it is durable, and
 * its place beside each entry, for those who read them. It goes around the group
 * commit: the commits are shared, and one span for a commit would be in the trace
 * of one caller, or of none. So each call has its own wait in its own trace, and
 * how long commits take is told by the metrics.
 */
export function traced(log: GroupCommitLog, tracing: Tracing): GroupCommitLog {
  return decorated(log, {
    append: (groups: readonly AppendGroup[]) => append(log, tracing, groups),
    waitingEvents: () => log.waitingEvents(),
  });
}

async function append(
  log: GroupCommitLog,
  tracing: Tracing,
  groups: readonly AppendGroup[],
): Promise<readonly (readonly Appended[])[]> {
  const spans = groups.map(({ events, trace }) => tracing.publish(trace, events));
  try {
    const outcomes = await log.append(groups.map((group, at) => withOrigin(group, spans[at])));
    for (const [at, span] of spans.entries()) span.end(failureIn(outcomes[at] ?? []));
    return outcomes;
  } catch (reason) {
    const { code } = HubError.from(reason);
    for (const span of spans) span.end(code);
    throw reason;
  }
}

/** What nobody collects is not written either. */
function withOrigin({ events, atomic }: AppendGroup, span: Span | undefined): AppendGroup {
  const isTraced = span !== undefined && isSampled(span.context);
  return { events, atomic, trace: isTraced ? span.context : undefined };
}

/** Of a whole call: one event among others that was refused is no failure of all. */
function failureIn(outcomes: readonly Appended[]): string | undefined {
  const [first] = outcomes;
  if (first?.status === 'conflict' && outcomes.length === 1) return first.status;
  const unknown = outcomes.find((outcome) => outcome.status === 'unknown');
  return unknown?.status === 'unknown' ? unknown.reason.code : undefined;
}
