import { type MigrationPlan, type MigrationStep, neededBytes } from '../../base/migration.ts';
import type { RecordShape } from '../output/record-output.ts';

/** A line of the report for people. */
export interface PlanRow {
  readonly name: string;
  readonly detail: string;
}

/** `log` is the configured one's scheme, where it is another engine than the store. */
export function planRows(plan: MigrationPlan, log: string | undefined): readonly PlanRow[] {
  const { place, version, neededVersion, steps } = plan;
  const there =
    version === undefined ? 'there is no hub yet' : `version ${version}, of ${plan.events} events`;
  const rows: PlanRow[] = [
    { name: 'store', detail: `${place}: ${there}; this hub needs version ${neededVersion}` },
    { name: 'log', detail: describeLog(place, log) },
  ];
  for (const step of steps) {
    rows.push({
      name: `version ${step.version}`,
      detail: `${step.description}; ${describeCost(step, plan)}`,
    });
  }
  if (steps.length === 0) {
    const detail =
      version === undefined
        ? 'nothing: `event-hub serve` makes the store as it is needed'
        : 'nothing: the store is up to date';
    return [...rows, { name: 'to do', detail }];
  }
  return [
    ...rows,
    { name: 'space', detail: describeSpace(plan) },
    { name: 'in the way', detail: plan.obstacle ?? 'nothing: no hub runs that must be stopped' },
    {
      name: 'to do',
      detail: `make a copy with \`${plan.backup}\`, then \`event-hub migrate apply --yes\`, or start the hub, which does it by itself unless EVENT_HUB_AUTO_MIGRATE=false; an older hub does not start on it afterwards`,
    },
  ];
}

export const planShape: RecordShape<PlanRow> = {
  columns: [
    { name: 'what', width: 10, text: ({ name }) => name },
    { name: 'detail', width: 0, text: ({ detail }) => detail },
  ],
  json: ({ name, detail }) => JSON.stringify({ what: name, detail }),
};

/** The whole plan for programs. */
export function planJson(plan: MigrationPlan): string {
  const { place, version, neededVersion, steps, events, sizeBytes, freeBytes } = plan;
  return JSON.stringify({
    store: place,
    version: version ?? null,
    needed_version: neededVersion,
    steps: steps.map((step) => ({
      version: step.version,
      description: step.description,
      cost: step.cost,
      events: touchedEvents(step, plan),
    })),
    events,
    size_bytes: sizeBytes,
    free_bytes: freeBytes ?? null,
    needed_bytes: neededBytes(steps, sizeBytes),
    in_the_way: steps.length === 0 ? null : (plan.obstacle ?? null),
    backup: plan.backup,
  });
}

function describeLog(place: string, log: string | undefined): string {
  if (place.startsWith('sqlite:')) return 'in the same file';
  const engine = log ?? 'Redis or Kafka';
  return `a log on ${engine} has no schema: there is nothing to migrate in it`;
}

function touchedEvents({ cost }: MigrationStep, { events }: MigrationPlan): number {
  return cost === 'no events' ? 0 : events;
}

function describeCost(step: MigrationStep, plan: MigrationPlan): string {
  if (step.cost === 'no events') return 'reads and rewrites no event';
  return `${step.cost}: ${touchedEvents(step, plan)}`;
}

function describeSpace({ steps, sizeBytes, freeBytes }: MigrationPlan): string {
  const needed = neededBytes(steps, sizeBytes);
  const free =
    freeBytes === undefined
      ? 'the store does not say how much is free'
      : `${mebibytes(freeBytes)} are free`;
  const short = freeBytes !== undefined && freeBytes < needed ? ': make room first' : '';
  return `the store has ${mebibytes(sizeBytes)}, the steps may need ${mebibytes(needed)} more, ${free}${short}`;
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / (1024 * 1024))} MiB`;
}
