import type { Finding } from '../../base/finding.ts';
import { SettingsError } from '../../config/settings-error.ts';
import { examineEngines } from '../../main/engines.ts';
import { defineCommand } from '../command.ts';
import { examineContent } from '../doctor/examine-content.ts';
import { examinePorts } from '../doctor/examine-ports.ts';
import { examineRuntime } from '../doctor/examine-runtime.ts';
import { exitCode } from '../exit-code.ts';
import { openSettings } from '../open-settings.ts';
import { formatOf, reportOutputFlag } from '../output/output-flag.ts';
import { openRecordOutput, type RecordShape } from '../output/record-output.ts';
import type { Style, Terminal } from '../terminal.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check settings, ports, disk, engine and clock.',
  description:
    'Looks at everything that a hub needs, whether it runs or not, changes nothing, and says what to do. Exit code 1 when something fails.',
  flags: { output: reportOutputFlag },
  usesSettings: true,
  examples: [['event-hub doctor', 'before the first start, and whenever something is odd']],
  run: async ({ flags, settingFlags, terminal }) => {
    const output = openRecordOutput(formatOf(flags.output, terminal), findingShape, terminal);
    let failed = false;
    for await (const finding of examine(settingFlags, terminal)) {
      failed ||= finding.state === 'fail';
      await output.write(finding);
      await output.flush();
    }
    await output.end();
    return failed ? exitCode.refused : exitCode.done;
  },
});

async function* examine(
  settingFlags: Parameters<typeof openSettings>[0],
  terminal: Terminal,
): AsyncGenerator<Finding> {
  yield* examineRuntime();
  const warnings: string[] = [];
  try {
    const { settings } = openSettings(settingFlags, { err: (line) => warnings.push(line) });
    for (const detail of warnings) yield { state: 'warn', name: 'settings', detail };
    yield { state: 'ok', name: 'settings', detail: '`event-hub config print` shows them' };
    yield* await examinePorts(settings);
    terminal.progress('reading the whole store ...');
    yield* await examineEngines(settings);
    yield* await examineContent(settings);
  } catch (reason) {
    if (!(reason instanceof SettingsError)) throw reason;
    for (const detail of reason.faults) yield { state: 'fail', name: 'settings', detail };
  }
}

const styles: Readonly<Record<Finding['state'], Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
};

const findingShape: RecordShape<Finding> = {
  columns: [
    { name: 'state', width: 5, text: ({ state }) => state, style: ({ state }) => styles[state] },
    { name: 'name', width: 10, text: ({ name }) => name },
    { name: 'detail', width: 0, text: ({ detail }) => detail },
  ],
  json: ({ state, name, detail }) => JSON.stringify({ state, name, detail }),
};
