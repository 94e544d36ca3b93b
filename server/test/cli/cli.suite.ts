import { describe } from 'vitest';
import type { NewPlace } from '../support/hub-places.ts';
import { configuringSuite } from './suite/configuring.ts';
import { countingSuite } from './suite/counting.ts';
import { examiningSuite } from './suite/examining.ts';
import { exportingSuite } from './suite/exporting.ts';
import { generatingSuite } from './suite/generating.ts';
import { importingSuite } from './suite/importing.ts';
import { keyingSuite } from './suite/keying.ts';
import { listingSuite } from './suite/listing.ts';
import { migratingSuite } from './suite/migrating.ts';
import { resendingSuite } from './suite/resending.ts';
import { resettingSuite } from './suite/resetting.ts';
import { retainingSuite } from './suite/retaining.ts';
import { sendingSuite } from './suite/sending.ts';
import { servingSuite } from './suite/serving.ts';
import { tailingSuite } from './suite/tailing.ts';

/** The promises of the commands beside a hub, for hubs on any engines. */
export function cliSuite(name: string, newPlace: NewPlace): void {
  describe(`the command line ${name}`, () => {
    sendingSuite(newPlace);
    resendingSuite(newPlace);
    generatingSuite(newPlace);
    tailingSuite(newPlace);
    listingSuite(newPlace);
    countingSuite(newPlace);
    servingSuite(newPlace);
    examiningSuite(newPlace);
    configuringSuite(newPlace);
    keyingSuite(newPlace);
    resettingSuite(newPlace);
    migratingSuite(newPlace);
    retainingSuite(newPlace);
    exportingSuite(newPlace);
    importingSuite(newPlace);
  });
}
