import { newApiKey } from '../../src/auth/api-key.ts';
import { type Action, actions } from '../../src/auth/caller.ts';
import type { Settings } from '../../src/config/settings.ts';
import { type ApiKeys, bearing, type MadeKey } from '../support/api-keys.ts';
import { signWithSecret } from '../support/signing-key.ts';
import { goodClaims, tokenSettings } from '../support/token-claims.ts';
import type { Shown } from '../protocols/drivers/protocol-driver.ts';
import type { Needs } from './operation-scopes.ts';

/** What comes of a call, whatever the transport. */
export type Outcome = 'success' | 'unauthenticated' | 'forbidden' | 'unreadable';

export interface Credential {
  readonly name: string;
  readonly showFor: (needs: Needs) => Shown;
  /** Where a credential is asked for at all. */
  readonly outcome: Outcome;
}

export function outcomeOf({ outcome }: Credential, needs: Needs): Outcome {
  if (needs === 'open') return 'success';
  return needs === 'any' && outcome === 'forbidden' ? 'success' : outcome;
}

/** Every way to come, well or badly. */
export async function makeCredentials(keys: ApiKeys): Promise<readonly Credential[]> {
  return [...(await withKeys(keys)), ...withTokens()];
}

/** A hub that takes the tokens of these tests. */
export const takingTokens: Pick<Settings, 'auth'> = {
  auth: { tokens: { ...tokenSettings, keys: { kind: 'secret', secret: 's'.repeat(32) } } },
};

/** By the hub's secret unless another is given; taken for a minute after its `exp`. */
export function tokenFor(
  scope: string,
  { leftS = 3_600, secret = 's'.repeat(32) }: { leftS?: number; secret?: string } = {},
): { readonly authorization: string } {
  const nowS = Math.floor(Date.now() / 1_000);
  const times = { iat: nowS - 3_600, exp: nowS + leftS };
  return bearing({ text: signWithSecret(secret, goodClaims({ scope, ...times })) });
}

function withTokens(): readonly Credential[] {
  const others = (needs: Needs) => actions.filter((each) => each !== needs && each !== 'admin');
  return [
    {
      name: 'a token by another secret',
      showFor: () => tokenFor('admin', { secret: 'x'.repeat(32) }),
      outcome: 'unauthenticated',
    },
    {
      name: 'a token that has run out',
      showFor: () => tokenFor('admin', { leftS: -61 }),
      outcome: 'unauthenticated',
    },
    {
      name: 'a token with all scopes but this',
      showFor: (needs) => tokenFor(others(needs).join(' ')),
      outcome: 'forbidden',
    },
    {
      name: 'a token with only this scope',
      showFor: (needs) => tokenFor(needs),
      outcome: 'success',
    },
  ];
}

/** With keys that are made for it, and with none. */
async function withKeys(keys: ApiKeys): Promise<readonly Credential[]> {
  const wishes = actions.flatMap((action): readonly (readonly Action[])[] => [
    [action],
    actions.filter((each) => each !== action && each !== 'admin'),
  ]);
  const made = await keys.makeAll(wishes.map((scopes) => ({ scopes })));
  const only = new Map<Needs, MadeKey>();
  const lacking = new Map<Needs, MadeKey>();
  for (const [index, action] of actions.entries()) {
    only.set(action, made[index * 2] ?? unknown());
    lacking.set(action, made[index * 2 + 1] ?? unknown());
  }
  // Whose scope does not matter.
  const any = only.get('metrics:read') ?? unknown();
  const right = (needs: Needs) => only.get(needs) ?? any;
  const admin = only.get('admin') ?? unknown();
  const revoked = await keys.make(['admin']);
  await keys.revoke(revoked);
  const expired = await keys.make(['admin'], { expiresAt: Date.now() });
  const always = (key: MadeKey) => () => bearing(key);
  return [
    { name: 'none', showFor: () => ({}), outcome: 'unauthenticated' },
    {
      name: 'another scheme',
      showFor: () => ({ authorization: `Basic ${btoa('shop:secret')}` }),
      outcome: 'unauthenticated',
    },
    { name: 'unparsable', showFor: () => ({ 'x-api-key': '=/' }), outcome: 'unauthenticated' },
    { name: 'mistyped', showFor: always(mistyped(admin)), outcome: 'unauthenticated' },
    { name: 'unknown', showFor: always(unknown()), outcome: 'unauthenticated' },
    { name: 'expired', showFor: always(expired), outcome: 'unauthenticated' },
    { name: 'revoked', showFor: always(revoked), outcome: 'unauthenticated' },
    {
      name: 'all scopes but this',
      showFor: (needs) => bearing(lacking.get(needs) ?? any),
      outcome: 'forbidden',
    },
    {
      name: 'two at once',
      showFor: () => ({ ...bearing(admin), 'x-api-key': admin.text }),
      outcome: 'unreadable',
    },
    {
      name: 'only this scope, by Authorization',
      showFor: (needs) => bearing(right(needs)),
      outcome: 'success',
    },
    {
      name: 'only this scope, by X-API-Key',
      showFor: (needs) => ({ 'x-api-key': right(needs).text }),
      outcome: 'success',
    },
    { name: 'admin', showFor: always(admin), outcome: 'success' },
  ];
}

/** Whole and well formed, and nobody has made it. */
function unknown(): MadeKey {
  return newApiKey();
}

function mistyped({ id, text }: MadeKey): MadeKey {
  const last = text.endsWith('a') ? 'b' : 'a';
  return { id, text: text.slice(0, -1) + last };
}
