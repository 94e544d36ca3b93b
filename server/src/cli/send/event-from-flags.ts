import { HubError } from '../../base/errors.ts';
import { canonicalJson, parseJson, quoteJson } from '../../base/json.ts';
import type { Flag } from '../command.ts';
import { usageError } from '../exit-code.ts';

/** The fields of one event as flags. */
export const eventFlags = {
  id: { kind: 'text', value: 'ID', help: 'The identity of the event; made when absent.' },
  'user-id': { kind: 'text', value: 'ID', help: 'Whose event it is.' },
  'event-type': { kind: 'text', value: 'TYPE', help: 'Such as purchase, return or refund.' },
  amount: { kind: 'text', value: 'DECIMAL', help: 'Such as 150.75; never negative.' },
  currency: { kind: 'text', value: 'CODE', help: 'ISO 4217, such as EUR.' },
  timestamp: { kind: 'text', value: 'TIME', help: 'When it happened, as 2026-06-30T10:00:00Z.' },
  metadata: { kind: 'text', value: 'JSON', help: 'A JSON object.' },
} as const satisfies Record<string, Flag>;

type EventFlags = Readonly<Partial<Record<keyof typeof eventFlags, string | undefined>>>;

/** The event's JSON text, or undefined when no flag names a field. */
export function eventFromFlags(flags: EventFlags): string | undefined {
  const members: string[] = [];
  for (const flag of Object.keys(eventFlags) as (keyof EventFlags)[]) {
    const value = flags[flag];
    if (value === undefined) continue;
    const name = flag.replaceAll('-', '_');
    members.push(`${quoteJson(name)}:${flag === 'metadata' ? metadata(value) : quoteJson(value)}`);
  }
  return members.length === 0 ? undefined : `{${members.join(',')}}`;
}

function metadata(text: string): string {
  try {
    return canonicalJson(parseJson(text));
  } catch (reason) {
    throw usageError(`--metadata is no JSON: ${HubError.from(reason).message}`);
  }
}
