import { HubError } from '../../base/errors.ts';
import type { MigrationPlan } from '../../base/migration.ts';
import { engineOf } from '../../config/engine-urls.ts';
import type { Settings } from '../../config/settings.ts';
import { migrateStore, planMigration } from '../../main/engines.ts';
import { auditAct } from '../audit-act.ts';
import { defineCommand, type SettingFlags } from '../command.ts';
import { CommandError, type ExitCode, exitCode, usageError } from '../exit-code.ts';
import { planJson, planRows, planShape } from '../migrate/plan-report.ts';
import { openSettings } from '../open-settings.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import { type OutputFormat, openRecordOutput } from '../output/record-output.ts';
import type { Terminal } from '../terminal.ts';

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Show or do what brings an older store up to date.',
  description:
    'A store that an older hub made is changed step by step to what this hub needs. `event-hub serve` does that by itself at its start, unless EVENT_HUB_AUTO_MIGRATE=false; here it can be seen before, and done apart from a start. A file is changed in one transaction, a database in steps that go on where they broke off. An older hub does not start on a store of a newer version, so make a copy first.',
  actions: {
    plan: 'The version that is there, the one that is needed, each step with what it costs, what is in the way, and what to do. Changes nothing; exit code 0 whether there is something to do or not.',
    apply: 'Does the steps. Refused while a hub runs that must not go on meanwhile. Needs --yes.',
  },
  flags: {
    store: {
      kind: 'text',
      value: 'URL',
      help: 'This store, whatever the settings say: sqlite:FILE or mongodb://HOST/DATABASE.',
    },
    yes: { kind: 'switch', help: 'Needed to apply: no older hub starts on the store afterwards.' },
    output: reportOutputFlag,
  },
  usesSettings: true,
  examples: [
    ['event-hub migrate plan', 'after an upgrade, before the first start'],
    ['event-hub migrate plan --store sqlite:./copy.db --output json', 'of a copy, for a program'],
    ['event-hub migrate apply --yes', 'then start the hub'],
  ],
  run: async ({ action, flags, settingFlags, terminal }) => {
    const target = targetOf(flags.store, settingFlags, terminal);
    if (action === 'apply') return await apply(target, flags.yes === true, terminal);
    return await show(target, formatOf(flags.output, terminal), terminal);
  },
});

interface Target extends Pick<Settings, 'store' | 'logLevel'> {
  /** The engine of the log, where the settings name it. */
  readonly log: string | undefined;
}

function targetOf(store: string | undefined, flags: SettingFlags, terminal: Terminal): Target {
  if (store !== undefined) return { store, log: undefined, logLevel: 'info' };
  const { settings } = openSettings(flags, terminal);
  return { store: settings.store, log: engineOf(settings.log), logLevel: settings.logLevel };
}

async function show(target: Target, format: OutputFormat, terminal: Terminal): Promise<ExitCode> {
  const plan = await refusing(() => planMigration(target.store));
  if (format === 'json' || format === 'ndjson') {
    await terminal.out(`${planJson(plan)}\n`);
    return exitCode.done;
  }
  const output = openRecordOutput(format, planShape, terminal);
  for (const row of planRows(plan, target.log)) await output.write(row);
  await output.end();
  return exitCode.done;
}

async function apply(target: Target, isSure: boolean, terminal: Terminal): Promise<ExitCode> {
  const plan = await refusing(() => planMigration(target.store));
  if (plan.steps.length === 0) {
    terminal.err(describeNothing(plan));
    return exitCode.done;
  }
  if (!isSure) {
    throw usageError(
      `no older hub starts on ${plan.place} afterwards, and \`event-hub migrate plan\` says what is done: add --yes`,
    );
  }
  if (plan.obstacle !== undefined) throw usageError(`${plan.place}: ${plan.obstacle}`);
  const done = await refusing(() =>
    migrateStore(target.store, ({ version, description }) =>
      terminal.err(`version ${version} of ${plan.neededVersion}: ${description} ...`),
    ),
  );
  if (done.length > 0) auditAct(target, 'store_migrated');
  terminal.err(`${plan.place} is at version ${plan.neededVersion}`);
  return exitCode.done;
}

function describeNothing({ place, version }: MigrationPlan): string {
  return version === undefined
    ? `there is no hub at ${place} yet: \`event-hub serve\` makes one`
    : `${place} is at version ${version}: there is nothing to do`;
}

/** What the store refuses is one line. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (reason) {
    if (!(reason instanceof HubError) || reason.code === 'internal') throw reason;
    throw new CommandError(exitCode.usage, reason.message);
  }
}
