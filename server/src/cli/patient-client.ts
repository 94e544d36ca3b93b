import { systemClock } from '../base/clock.ts';
import type { IngestClient } from './clients/ingest-client.ts';
import { type ClientProtocol, openClient, protocols } from './clients/open-client.ts';
import { withRetries } from './clients/retrying-client.ts';
import type { Flag } from './command.ts';
import { durationOf } from './flag-values.ts';
import { hubAddress } from './hub-address.ts';
import type { Terminal } from './terminal.ts';

/** Of the commands that send events and wait for a hub that is away for a while. */
export const sendingFlags = {
  protocol: {
    kind: 'text',
    value: 'NAME',
    choices: protocols,
    default: 'rest',
    help: 'How it is sent.',
  },
  'retry-for': {
    kind: 'text',
    value: 'TIME',
    default: '30s',
    help: 'How long a hub that answered before is waited for.',
  },
} as const satisfies Record<string, Flag>;

/** What `sendingFlags` and `addressFlags` say. */
export interface Sending {
  readonly protocol: ClientProtocol;
  readonly address: ReturnType<typeof hubAddress>;
  readonly giveUpMs: number;
}

/** Throws CommandError for a flag that is wrong. */
export function sendingOf(
  flags: Parameters<typeof hubAddress>[0] & {
    readonly protocol: string;
    readonly 'retry-for': string;
  },
): Sending {
  return {
    protocol: protocols.find((name) => name === flags.protocol) ?? 'rest',
    address: hubAddress(flags),
    giveUpMs: durationOf('retry-for', flags['retry-for']),
  };
}

/** Sends again what a retry may mend, and says on stderr that it waits. */
export async function openPatientClient(
  { protocol, address, giveUpMs }: Sending,
  { terminal, interrupted }: { readonly terminal: Terminal; readonly interrupted: AbortSignal },
): Promise<IngestClient> {
  return withRetries(await openClient(protocol, address, 1), {
    clock: systemClock,
    giveUpMs,
    signal: interrupted,
    onWait: (reason, waitMs) =>
      terminal.err(`${reason}; trying again in ${(waitMs / 1_000).toFixed(1)} s`),
  });
}
