import { describe } from 'vitest';
import { adoptingSuite } from './suite/adopting.ts';
import { countingSuite } from './suite/counting.ts';
import { examiningSuite } from './suite/examining.ts';
import { generatingSuite } from './suite/generating.ts';
import { listingSuite } from './suite/listing.ts';
import { resendingSuite } from './suite/resending.ts';
import { resettingSuite } from './suite/resetting.ts';
import { sendingSuite } from './suite/sending.ts';
import { servingSuite } from './suite/serving.ts';
import { tailingSuite } from './suite/tailing.ts';

/** What the commands promise beside a hub. */
export function cliSuite(name: string): void {
  describe(`the command line ${name}`, () => {
    sendingSuite();
    resendingSuite();
    generatingSuite();
    tailingSuite();
    listingSuite();
    countingSuite();
    servingSuite();
    examiningSuite();
    adoptingSuite();
    resettingSuite();
  });
}
