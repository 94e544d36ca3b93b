import { z } from 'zod';
import { tokenAlgorithms } from '../auth/tokens/token-settings.ts';
import { type AddressRange, parseAddressRange } from '../base/address-range.ts';
import { durationExpected, parseDuration } from '../base/duration.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { currencies } from '../event/currencies.ts';
import type { Sign } from '../event/event.ts';
import { parseEventTypes } from '../event/event-rules.ts';
import { roles } from './settings.ts';

/**
 * The kinds of values that settings have. Each takes text (a flag, a variable)
 * and what JSON would say (the file), and names what it expects.
 */
export interface SettingType<T extends z.ZodType = z.ZodType> {
  readonly schema: T;
  /** Completes "expected ...". */
  readonly expected: string;
  /** A flag that stands alone, without a value. */
  readonly standsAlone?: boolean;
}

const decimal = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);

export const port = {
  schema: decimal.pipe(z.number().int().min(0).max(65_535)),
  expected: 'a port 0-65535',
} satisfies SettingType;

export const host = {
  schema: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/),
  expected: 'a host name or an IP address',
} satisfies SettingType;

export const engineUrl = {
  schema: z.string().regex(/^[a-z][a-z0-9+.-]*:[^\s]/),
  expected:
    'a URL such as sqlite:./data/event-hub.db, redis://host:6379 or mongodb://host/event_hub',
} satisfies SettingType;

export const onOff = {
  schema: z.union([z.boolean(), z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] })]),
  expected: 'true or false',
  standsAlone: true,
} satisfies SettingType;

export function choice<const Choice extends string>(choices: readonly [Choice, ...Choice[]]) {
  return { schema: z.enum(choices), expected: `one of ${choices.join(', ')}` };
}

const commaList = z.union([
  z.array(z.string()),
  z.string().transform((text) => text.split(',').map((part) => part.trim())),
]);

export const roleList = {
  schema: commaList.pipe(z.array(z.enum(roles)).min(1)).transform((names) => new Set(names)),
  expected: `a list of ${roles.join(', ')}`,
} satisfies SettingType;

export const eventTypeList = {
  schema: commaList.transform((parts, context): ReadonlyMap<string, Sign> => {
    try {
      return parseEventTypes(parts.join(','));
    } catch (reason) {
      context.addIssue({ code: 'custom', message: HubError.from(reason).message });
      return z.NEVER;
    }
  }),
  expected: 'types with their signs, such as purchase:+,return:-,note',
} satisfies SettingType;

export const algorithmList = {
  schema: commaList
    .pipe(z.array(z.enum(tokenAlgorithms)).min(1))
    .transform((names) => new Set(names)),
  expected: `a list of ${tokenAlgorithms.join(', ')}`,
} satisfies SettingType;

/** An issuer or an audience: usually a URL, but any name will do. */
export const tokenName = {
  schema: z.string().regex(/^[\x21-\x7e]{1,1000}$/),
  expected: 'a name or a URL without blanks, exactly as it stands in tokens',
} satisfies SettingType;

export const claimName = {
  schema: z.string().regex(/^[\x21-\x7e]{1,200}$/),
  expected: 'the name of a claim, such as scope or realm_access.roles',
} satisfies SettingType;

export const keysPlace = {
  schema: z.string().min(1),
  expected: 'a URL such as https://issuer.example/jwks.json, or the path of a file',
} satisfies SettingType;

export const tokenSecret = {
  schema: z.string().refine((text) => Buffer.byteLength(text) >= limits.tokenSecretBytes),
  expected: `a secret of at least ${limits.tokenSecretBytes} bytes`,
} satisfies SettingType;

export const addressRangeList = {
  schema: commaList.transform((parts, context): readonly AddressRange[] => {
    const ranges = parts.map(parseAddressRange);
    if (ranges.every((range) => range !== undefined)) return ranges;
    const wrong = parts.find((_, index) => ranges[index] === undefined);
    context.addIssue({ code: 'custom', message: `'${wrong}' is none` });
    return z.NEVER;
  }),
  expected: 'IP addresses or ranges of them, such as 10.0.0.0/8,::1',
} satisfies SettingType;

export const originList = {
  schema: commaList.transform((parts, context): readonly string[] => {
    if (parts.length === 1 && parts[0] === '*') return parts;
    const wrong = parts.find((part) => !isOrigin(part));
    if (wrong === undefined) return parts;
    context.addIssue({ code: 'custom', message: `'${wrong}' is none` });
    return z.NEVER;
  }),
  expected: 'origins as browsers write them, such as https://shop.example, or * alone',
} satisfies SettingType;

/** Lower case, without a path, and without the port that its scheme has anyway. */
function isOrigin(text: string): boolean {
  return /^https?:[^*]+$/.test(text) && URL.parse(text)?.origin === text;
}

export const filePath = {
  schema: z.string().min(1),
  expected: 'the path of a file',
} satisfies SettingType;

export const currency = {
  schema: z.string().refine((code) => currencies.has(code)),
  expected: 'an ISO 4217 code in upper case, such as EUR',
} satisfies SettingType;

export const duration = durationFrom(0, durationExpected);

/** No shorter than any request may live. */
export const keptDuration = durationFrom(
  limits.logKeepMsMin,
  'a duration of 1h or more, such as 1h, 24h or 7d',
);

/** No shorter than a day; undefined for `off`. */
export const retentionDuration = {
  schema: z.string().transform((text, context): number | undefined => {
    const ms = parseDuration(text);
    if (text === 'off') return undefined;
    if (ms !== undefined && ms >= limits.retentionMsMin) return ms;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  }),
  expected: 'off, or a duration of 1d or more, such as 30d or 400d',
} satisfies SettingType;

export const graceDuration = durationFrom(
  limits.accessGraceMsMin,
  'a duration of 5s or more, such as 5s, 10m or 1h',
);

export const burstDuration = {
  schema: duration.schema.refine((ms) => ms % 1_000 === 0 && ms >= 1_000 && ms <= 60 * 60 * 1_000),
  expected: 'a duration of 1s to 1h in whole seconds, such as 1s, 10s or 1m',
} satisfies SettingType;

/** How many of something, at most; 0 for as many as come. */
export const countLimit = {
  schema: decimal.pipe(z.number().int().min(0).max(1_000_000)),
  expected: 'a whole number 0-1000000',
} satisfies SettingType;

function durationFrom(msMin: number, expected: string) {
  const schema = z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= msMin) return ms;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  });
  return { schema, expected } satisfies SettingType;
}
