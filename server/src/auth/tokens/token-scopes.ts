import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { type Action, actions } from '../caller.ts';
import { RefusedToken } from './refused-token.ts';

/** What each role may do; a role's name counts among the scopes too. */
const roles: ReadonlyMap<string, readonly Action[]> = new Map<string, readonly Action[]>([
  ['writer', ['events:write']],
  ['reader', ['events:read', 'aggregates:read']],
  ['admin', actions],
]);

/**
 * The scopes that a token gives by itself and by its roles. Words that the hub
 * does not know are for others; a claim of another shape is a fault, not an
 * empty one. Throws RefusedToken.
 */
export function readScopes(
  claims: JsonObject,
  places: { readonly scopesClaim: string; readonly rolesClaim: string },
): ReadonlySet<Action> {
  const scopes = words(claims, places.scopesClaim);
  const given = actions.filter((action) => scopes.includes(action));
  const named = [...scopes, ...words(claims, places.rolesClaim)];
  return new Set([...given, ...named.flatMap((role) => roles.get(role) ?? [])]);
}

/** `events:write events:read`, or the same as an array. */
function words(claims: JsonObject, place: string): readonly string[] {
  const value = claimAt(claims, place);
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return value.split(' ');
  if (!isJsonArray(value)) throw new RefusedToken('its scopes or roles are no list of words');
  return value.map((word) => {
    if (typeof word === 'string') return word;
    throw new RefusedToken('its scopes or roles are not all words');
  });
}

/** The claim with that very name, which may have dots as in `https://shop.example/roles`, else the one at that path. */
function claimAt(claims: JsonObject, place: string): Json | undefined {
  const named = claims[place];
  if (named !== undefined) return named;
  let value: Json | undefined = claims;
  for (const name of place.split('.')) {
    if (!isJsonObject(value)) return undefined;
    value = value[name];
  }
  return value;
}
