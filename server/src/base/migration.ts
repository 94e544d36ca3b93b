/** What a step does with the events that are stored, which is what it costs. */
export type MigrationCost = 'no events' | 'reads all events' | 'rewrites all events';

/** One change of what a store is made of. Lists of them are ordered: the one at an index leads from it to the next version. */
export interface Migration {
  /** What it does, in plain words that complete "it ...": `adds the table api_keys, for API keys`. */
  readonly description: string;
  readonly cost: MigrationCost;
}

export interface MigrationStep extends Migration {
  /** The one that the store has after it. */
  readonly version: number;
}

/** How a store of an older version is opened by a hub that serves. */
export interface UpgradeOptions {
  /** Else it is refused with `conflict`, naming the commands that do it. */
  readonly allowed: boolean;
  readonly onDone: (step: MigrationStep, place: string) => void;
}

/** What would be done to a store, and what stands in the way. */
export interface MigrationPlan {
  /** Without passwords. */
  readonly place: string;
  /** Undefined where there is no hub yet. */
  readonly version: number | undefined;
  /** Of this hub. */
  readonly neededVersion: number;
  /** None where nothing is to be done. */
  readonly steps: readonly MigrationStep[];
  readonly events: number;
  readonly sizeBytes: number;
  /** On the disk of the store; undefined where it does not say. */
  readonly freeBytes: number | undefined;
  /** Undefined where nothing runs that stands in the way. */
  readonly obstacle: string | undefined;
  /** The command that makes a copy first. */
  readonly backup: string;
}

export function stepsAfter(
  version: number,
  migrations: readonly Migration[],
): readonly MigrationStep[] {
  return migrations.slice(version).map(({ description, cost }, index) => ({
    version: version + index + 1,
    description,
    cost,
  }));
}

/** What the steps take on the disk besides what is there, at the most: an index is smaller than its events, and a change is written twice. */
export function neededBytes(steps: readonly MigrationStep[], sizeBytes: number): number {
  return steps.reduce((sum, { cost }) => sum + schemaBytes + timesSize[cost] * sizeBytes, 0);
}

const schemaBytes = 1024 * 1024;
const timesSize = { 'no events': 0, 'reads all events': 1, 'rewrites all events': 2 } as const;

/** For a store whose hub may not change it by itself. */
export function upgradeRefusal(place: string, version: number, needed: number): string {
  return `${place} is of an older hub (its version is ${version}, this hub needs ${needed}) and EVENT_HUB_AUTO_MIGRATE is false: \`event-hub migrate plan\` says what is to be done, \`event-hub migrate apply --yes\` does it`;
}
