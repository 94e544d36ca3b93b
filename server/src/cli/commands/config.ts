import type { SettingValue } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { agreementOf } from '../../main/agree.ts';
import { isEmbedded } from '../../main/engines.ts';
import { auditAct } from '../audit-act.ts';
import { defineCommand } from '../command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openHubStore } from '../open-engines.ts';
import { openSettings } from '../open-settings.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import { openRecordOutput, type RecordShape } from '../output/record-output.ts';
import type { Terminal } from '../terminal.ts';

export const config = defineCommand({
  name: 'config',
  summary: 'Print the settings in force, or take changed ones over.',
  description:
    'All processes on one store agree on the event types, their signs and the default currency: the store keeps them from the first start on, and a hub that differs does not start until they are adopted.',
  actions: {
    print: 'Every setting with its value and where it comes from; passwords are masked.',
    adopt:
      'Makes the types and the currency of these settings those of the store. Stop the hub first.',
  },
  flags: { output: reportOutputFlag },
  usesSettings: true,
  examples: [
    ['event-hub config print', 'what holds, and why'],
    ['event-hub config adopt --event-types purchase:+,return:-,gift', 'after adding a type'],
  ],
  run: async ({ action, flags, settingFlags, terminal }) => {
    const { settings, values } = openSettings(settingFlags, terminal);
    if (action === 'adopt') return await adopt(settings, terminal);
    const output = openRecordOutput(formatOf(flags.output, terminal), valueShape, terminal);
    for (const value of values) await output.write(value);
    await output.end();
    return exitCode.done;
  },
});

const valueShape: RecordShape<SettingValue> = {
  columns: [
    { name: 'setting', width: 20, text: ({ setting }) => setting.path },
    { name: 'value', width: 40, text: ({ text }) => text },
    { name: 'source', width: 0, text: ({ source }) => source },
  ],
  json: ({ setting, text, source }) =>
    JSON.stringify({ setting: setting.path, value: text, source }),
};

async function adopt(settings: Settings, terminal: Terminal): Promise<ExitCode> {
  const wanted = agreementOf(settings);
  // Fails where there is no store yet; only a hub makes one.
  const looked = await openHubStore(settings);
  await looked.close();
  const store = await openHubStore(settings, { exclusive: isEmbedded(settings) });
  try {
    const before = await store.agreement();
    await store.setAgreement(wanted);
    auditAct(settings, 'config_adopted');
    const was = `event types ${before?.eventTypes ?? 'none'}, default currency ${before?.defaultCurrency ?? 'none'}`;
    terminal.err(
      `the store now has event types ${wanted.eventTypes}, default currency ${wanted.defaultCurrency}; before: ${was}`,
    );
    if (!isEmbedded(settings)) terminal.err('restart every hub process on it with these settings');
    return exitCode.done;
  } finally {
    await store.close();
  }
}
