import { formatInstant, systemClock } from '../../base/clock.ts';
import type { Finding } from '../../base/finding.ts';

const nodeNeeded = [24, 17] as const;
/** This version of the hub was made after it. */
const clockMin = Date.UTC(2026, 0, 1);

/** Node.js and the machine's clock. */
export function examineRuntime(): readonly Finding[] {
  return [examineNode(process.versions.node), examineClock(systemClock.now())];
}

function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNewEnough = major > nodeNeeded[0] || (major === nodeNeeded[0] && minor >= nodeNeeded[1]);
  const advice = isNewEnough ? '' : `: ${nodeNeeded.join('.')} or newer is needed`;
  return {
    state: isNewEnough ? 'ok' : 'fail',
    name: 'node',
    detail: `Node.js ${version}${advice}`,
  };
}

function examineClock(now: number): Finding {
  const isBehind = now < clockMin;
  const advice = isBehind ? ', which is long past: set the clock (NTP)' : '';
  return {
    state: isBehind ? 'fail' : 'ok',
    name: 'clock',
    detail: `it is ${formatInstant(now)}${advice}`,
  };
}
