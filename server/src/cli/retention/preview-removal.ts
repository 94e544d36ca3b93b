import { formatInstant, type Instant } from '../../base/clock.ts';
import type { Settings } from '../../config/settings.ts';
import { type Engines, isEmbedded } from '../../main/engines.ts';
import { cutOf } from '../../readers/remove-old-events.ts';
import type { Removal } from '../../store/event-store.ts';
import { type OutputFormat, openRecordOutput } from '../output/record-output.ts';
import type { Terminal } from '../terminal.ts';
import { removalShape } from './removal-shape.ts';

export interface Preview {
  readonly receivedBefore: Instant;
  /** Of the shards that lose something. */
  readonly removals: readonly Removal[];
  readonly embedded: boolean;
  /** The log has removed nothing itself yet in some shard, so that nothing of that may go. */
  readonly heldByLog: boolean;
}

/** What would be removed now; changes nothing. */
export async function previewRemoval(
  { log, store }: Engines,
  settings: Settings,
  receivedBefore: Instant,
): Promise<Preview> {
  const embedded = isEmbedded(settings);
  const removals: Removal[] = [];
  let heldByLog = false;
  for (const shard of await log.shards()) {
    const cut = await cutOf({ log, isEmbedded: embedded }, shard, receivedBefore);
    if (cut === undefined) {
      heldByLog = true;
      continue;
    }
    const removal = await store.previewRemoval(shard, cut);
    if (removal !== undefined) removals.push(removal);
  }
  return { receivedBefore, removals, embedded, heldByLog };
}

export function eventsOf({ removals }: Pick<Preview, 'removals'>): number {
  return removals.reduce((sum, { events }) => sum + events, 0);
}

/** As records on stdout, and on stderr what it means. */
export async function writePreview(
  preview: Preview,
  format: OutputFormat,
  terminal: Terminal,
): Promise<void> {
  const { removals } = preview;
  if (removals.length > 0 || format !== 'table') {
    const output = openRecordOutput(format, removalShape, terminal);
    for (const removal of removals) await output.write(removal);
    await output.end();
  }
  for (const line of notesOn(preview)) terminal.err(line);
}

function notesOn(preview: Preview): readonly string[] {
  const { receivedBefore, embedded, heldByLog } = preview;
  const events = eventsOf(preview);
  const before = formatInstant(receivedBefore);
  const held = heldByLog
    ? [
        'the log still holds everything of a shard, and nothing that it holds is removed: EVENT_HUB_LOG_KEEP says for how long it does',
      ]
    : [];
  if (events === 0) return [`nothing that was received before ${before} is to be removed`, ...held];
  return [
    `${events} events, received before ${before}, would be removed for good; apply removes them`,
    'of each its id, times, position and a hash of its content stay: a repeat is answered as a duplicate, other content with the id as a conflict',
    'the totals of the frozen minutes stay and take late events, but metrics verify and rebuild pass them over, and a window that begins or ends inside one, or asks for a user over one, is refused',
    'a stream that resumes from before the floor is told to go on from there',
    ...(embedded
      ? [
          'the file does not become smaller: what is freed is filled with new events (to shrink it, event-hub copy into a new file)',
        ]
      : []),
    ...held,
  ];
}
