import { describe } from 'vitest';
import { batchSuite } from './suite/batches.ts';
import { feedSuite } from './suite/feeds.ts';
import type { CreateHarness } from './suite/hub-under-test.ts';
import { propertySuite } from './suite/properties.ts';
import { readingSuite } from './suite/reading.ts';
import { sendingSuite } from './suite/sending.ts';
import { totalsSuite } from './suite/totals.ts';

/** The promises of the three protocols to their clients, for a whole hub on any engines. */
export function protocolSuite(name: string, createHarness: CreateHarness): void {
  describe(`protocols ${name}`, () => {
    sendingSuite(createHarness);
    batchSuite(createHarness);
    readingSuite(createHarness);
    totalsSuite(createHarness);
    feedSuite(createHarness);
    propertySuite(createHarness);
  });
}
