import { describe, expect, it } from 'vitest';
import type { MigrationPlan } from '../../../src/base/migration.ts';
import { planJson, planRows } from '../../../src/cli/migrate/plan-report.ts';

const gibibyte = 1024 ** 3;

/** A large store of an older hub, which needs a step of each cost. */
const plan: MigrationPlan = {
  place: 'sqlite:/data/event-hub.db',
  version: 1,
  neededVersion: 4,
  steps: [
    { version: 2, description: 'adds a table', cost: 'no events' },
    { version: 3, description: 'adds an index', cost: 'reads all events' },
    { version: 4, description: 'splits a column', cost: 'rewrites all events' },
  ],
  events: 1_000,
  sizeBytes: gibibyte,
  freeBytes: 10 * gibibyte,
  obstacle: undefined,
  backup: 'event-hub backup --to FILE',
};

function rowsOf(changes: Partial<MigrationPlan> = {}, log?: string): Record<string, string> {
  const rows = planRows({ ...plan, ...changes }, log);
  return Object.fromEntries(rows.map(({ name, detail }) => [name, detail]));
}

describe('the plan of a migration', () => {
  it('says of each step what it does to how many events', () => {
    expect(rowsOf()).toMatchObject({
      store: 'sqlite:/data/event-hub.db: version 1, of 1000 events; this hub needs version 4',
      'version 2': 'adds a table; reads and rewrites no event',
      'version 3': 'adds an index; reads all events: 1000',
      'version 4': 'splits a column; rewrites all events: 1000',
      'in the way': 'nothing: no hub runs that must be stopped',
    });
  });

  it('says what the steps may need on the disk, and where that is not there', () => {
    const needed = 'the store has 1024 MiB, the steps may need 3075 MiB more';
    expect(rowsOf().space).toBe(`${needed}, 10240 MiB are free`);
    expect(rowsOf({ freeBytes: gibibyte }).space).toBe(
      `${needed}, 1024 MiB are free: make room first`,
    );
    expect(rowsOf({ freeBytes: undefined }).space).toBe(
      `${needed}, the store does not say how much is free`,
    );
  });

  it('says of the log that it has nothing to migrate, or is the same file', () => {
    expect(rowsOf().log).toBe('in the same file');
    const onServers = { place: 'mongodb://host/hub' };
    expect(rowsOf(onServers, 'kafka').log).toBe(
      'a log on kafka has no schema: there is nothing to migrate in it',
    );
    expect(rowsOf(onServers).log).toContain('a log on Redis or Kafka has no schema');
  });

  it('says what is in the way, and how a copy is made first', () => {
    const rows = rowsOf({ obstacle: 'a hub runs on the file: stop it first' });
    expect(rows['in the way']).toBe('a hub runs on the file: stop it first');
    expect(rows['to do']).toMatch(/`event-hub backup --to FILE`.*`event-hub migrate apply --yes`/);
  });

  it('has nothing in the way where there is nothing to do', () => {
    const upToDate = { version: 4, steps: [], obstacle: 'a hub runs on the file' };
    expect(Object.keys(rowsOf(upToDate))).toEqual(['store', 'log', 'to do']);
    expect(JSON.parse(planJson({ ...plan, ...upToDate }))).toMatchObject({
      in_the_way: null,
      needed_bytes: 0,
    });
  });

  it('is one object for programs', () => {
    expect(JSON.parse(planJson({ ...plan, freeBytes: undefined }))).toEqual({
      store: 'sqlite:/data/event-hub.db',
      version: 1,
      needed_version: 4,
      steps: [
        { version: 2, description: 'adds a table', cost: 'no events', events: 0 },
        { version: 3, description: 'adds an index', cost: 'reads all events', events: 1_000 },
        { version: 4, description: 'splits a column', cost: 'rewrites all events', events: 1_000 },
      ],
      events: 1_000,
      size_bytes: gibibyte,
      free_bytes: null,
      needed_bytes: 3 * gibibyte + 3 * 1024 ** 2,
      in_the_way: null,
      backup: 'event-hub backup --to FILE',
    });
  });
});
