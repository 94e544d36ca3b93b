import { HubError } from '../../base/errors.ts';
import type { Reads } from '../../hub/reads.ts';
import type { FindRequest } from '../../hub.ts';
import { eventPages } from '../event-pages.ts';
import { eventShape, wireEventOf } from '../output/event-shape.ts';
import { openRecordOutput } from '../output/record-output.ts';
import type { ExportFile, ExportPlace } from './export-file.ts';

export interface ExportRun {
  readonly reads: Reads;
  readonly request: FindRequest;
  readonly format: 'ndjson' | 'csv';
  readonly file: ExportFile;
  readonly onPlace: (place: ExportPlace) => void;
  readonly signal: AbortSignal;
}

/** After so many events the place is kept: what a break costs at the most. */
const eventsPerKeep = 10_000;

/** Writes what is asked for in log order, on from where the file is. Answers false when interrupted before the end. */
export async function runExport(run: ExportRun): Promise<boolean> {
  const { reads, request, format, file, onPlace, signal } = run;
  let { place } = file;
  await assertSameLog(reads, place);
  const output = openRecordOutput(
    format,
    eventShape,
    { out: (text) => file.append(text), style: (_, text) => text },
    { continued: file.isBegun },
  );
  let kept = place.events;
  const keep = async () => {
    await output.flush();
    file.keep(place);
    kept = place.events;
  };
  const pages = eventPages(
    reads,
    { ...request, order: 'asc', cursor: place.last?.cursor },
    Number.MAX_SAFE_INTEGER,
  );
  for await (const page of pages) {
    for (const stored of page) await output.write(wireEventOf(stored));
    const last = page.at(-1);
    if (last !== undefined) {
      const { event, position, cursor } = last;
      place = { events: place.events + page.length, last: { id: event.id, position, cursor } };
    }
    onPlace(place);
    if (signal.aborted) {
      await keep();
      return false;
    }
    if (place.events - kept >= eventsPerKeep) await keep();
  }
  await output.end();
  return true;
}

/** A place in a log that was emptied, restored or replaced since is none: events would be missed. */
async function assertSameLog(reads: Reads, { last }: ExportPlace): Promise<void> {
  if (last === undefined) return;
  if ((await reads.positionOf(last.id)) === last.position) return;
  throw new HubError(
    'conflict',
    `the event at which the export was broken off (${last.id}) is not where it was: the hub was restored or replaced since; remove what there is of the export, and begin anew`,
  );
}
