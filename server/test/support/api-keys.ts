import { vi } from 'vitest';
import { newApiKey } from '../../src/auth/api-key.ts';
import type { Action } from '../../src/auth/caller.ts';
import type { StoredKey } from '../../src/store/key-store.ts';
import { type Place, within } from './hub-places.ts';

export interface MadeKey {
  readonly id: string;
  readonly text: string;
}

type KeyMembers = Partial<Pick<StoredKey, 'name' | 'eventTypes' | 'expiresAt' | 'revokedAt'>>;

/** Keys in the store of a hub, as `event-hub keys` makes and ends them: running hubs see it within seconds. */
export class ApiKeys {
  readonly #place: Pick<Place, 'log' | 'store'>;

  constructor(place: Pick<Place, 'log' | 'store'>) {
    this.#place = place;
  }

  async make(scopes: readonly Action[], members: KeyMembers = {}): Promise<MadeKey> {
    const [key] = await this.makeAll([{ scopes, ...members }]);
    if (key === undefined) throw new Error('no key was made');
    return key;
  }

  /** In one opening of the store, in the order of the wishes. */
  async makeAll(
    wishes: readonly (KeyMembers & { readonly scopes: readonly Action[] })[],
  ): Promise<readonly MadeKey[]> {
    return await within(this.#place, async ({ store }) => {
      const made: MadeKey[] = [];
      for (const wish of wishes) {
        const { id, text, hash } = newApiKey();
        const now = Date.now();
        const ends = { expiresAt: undefined, revokedAt: undefined, lastUsedAt: undefined };
        const key = { id, name: id, hash, eventTypes: undefined, createdAt: now, ...ends };
        await store.keys.add({ ...key, ...wish }, 0);
        made.push({ id, text });
      }
      return made;
    });
  }

  async revoke(...keys: readonly MadeKey[]): Promise<void> {
    const ids = keys.map(({ id }) => id);
    await within(this.#place, ({ store }) => store.keys.revoke(ids, Date.now()));
  }

  /** As `keys rotate` does with the old one. */
  async expire(key: MadeKey, at: number): Promise<void> {
    await within(this.#place, ({ store }) => store.keys.expire([key.id], at));
  }
}

/** As a header, a member of the metadata, or one of `connection_init`. */
export function bearing({ text }: Pick<MadeKey, 'text'>): { readonly authorization: string } {
  return { authorization: `Bearer ${text}` };
}

/** Resolves when the hub lets the key in, or whatever was made before it. */
export async function untilKnown(url: string, key: MadeKey): Promise<void> {
  await vi.waitFor(
    async () => {
      const { status } = await fetch(`${url}/events/none`, { headers: bearing(key) });
      if (status === 401) throw new Error('the key is not known yet');
    },
    { timeout: 30_000, interval: 50 },
  );
}
