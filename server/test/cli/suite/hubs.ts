import type { Settings } from '../../../src/config/settings.ts';
import type { ModePlace, NewPlace } from '../../support/hub-places.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

/** For `serve` and `doctor`. */
export const freePorts = ['--http-port=0', '--grpc-port=0'] as const;

/** A running hub, and where its data is. */
export interface PlacedHub extends TestHub {
  readonly place: ModePlace;
}

/** All hubs of a test and their places. */
export class Hubs {
  readonly #newPlace: NewPlace;
  readonly #hubs: PlacedHub[] = [];
  readonly #places: ModePlace[] = [];

  constructor(newPlace: NewPlace) {
    this.#newPlace = newPlace;
  }

  /** Where no hub was yet. */
  async newPlace(): Promise<ModePlace> {
    const place = await this.#newPlace();
    this.#places.push(place);
    return place;
  }

  /** At a new place. */
  async start(overrides: Partial<Settings> = {}): Promise<PlacedHub> {
    return await this.startAt(await this.newPlace(), overrides);
  }

  async startAt(place: ModePlace, overrides: Partial<Settings> = {}): Promise<PlacedHub> {
    const { log, store } = place;
    const hub = { ...(await startTestHub({ log, store, ...overrides })), place };
    this.#hubs.push(hub);
    return hub;
  }

  /** With the data and the HTTP address of one that was stopped. */
  async restart({ place, url }: PlacedHub): Promise<PlacedHub> {
    const port = Number(new URL(url).port);
    return await this.startAt(place, {
      http: { host: '127.0.0.1', port, trustedProxies: [], corsOrigins: [] },
    });
  }

  /** Stops them, and removes what they left. */
  async end(): Promise<void> {
    await Promise.all(this.#hubs.splice(0).map((hub) => hub.remove()));
    await Promise.all(this.#places.splice(0).map((place) => place.destroy()));
  }
}
