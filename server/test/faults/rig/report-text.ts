import type { CrashReport } from './crash-run.ts';

const faultsShown = 20;

/** A report for people. */
export function reportText(report: CrashReport): string {
  const { faults, timesMs, kills, answers } = report;
  const sum = (numbers: Readonly<Record<string, number>>) =>
    Object.entries(numbers)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const share = report.unknown === 0 ? 0 : (100 * report.unknownStored) / report.unknown;
  const lines = [
    `kills              ${Object.values(kills).reduce((all, each) => all + each)} (${sum(kills)})`,
    ...Object.entries(timesMs).map(
      ([name, ms]) =>
        `${name.padEnd(18)} median ${percentile(ms, 50)} ms, p99 ${percentile(ms, 99)} ms, longest ${percentile(ms, 100)} ms`,
    ),
    `answers            ${sum(answers)}`,
    `events stored      ${report.stored}, of them acknowledged ${report.acknowledged}`,
    `outcome unknown    ${report.unknown}, of them stored ${report.unknownStored} (${share.toFixed(1)} %)`,
    `lost               ${report.lost}`,
    `duplicated         ${report.duplicated}`,
    `unexpected         ${report.unexpected}`,
    `repeats in feeds   ${report.repeats}`,
    `broken promises    ${faults.length}`,
    ...faults.slice(0, faultsShown).map((fault) => `  ${fault}`),
    ...(faults.length > faultsShown ? [`  and ${faults.length - faultsShown} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function percentile(ascending: readonly number[], percent: number): number {
  const index = Math.ceil((ascending.length * percent) / 100) - 1;
  return Math.round(ascending[Math.max(0, index)] ?? 0);
}
