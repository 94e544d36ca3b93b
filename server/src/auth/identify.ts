/** Who asks. Until keys are made, everybody on loopback is the open caller. */
export interface Caller {
  readonly name: string;
  readonly actions: ReadonlySet<Action>;
}

export type Action = 'events:write' | 'events:read' | 'aggregates:read' | 'metrics:read' | 'admin';

/** May do everything. */
export const openCaller: Caller = {
  name: 'open',
  actions: new Set<Action>([
    'events:write',
    'events:read',
    'aggregates:read',
    'metrics:read',
    'admin',
  ]),
};

/** Turns a credential into a caller. `credential` is the bare token, whichever header or field it came in. */
export type Identify = (credential: string | undefined) => Caller;

export const identifyAnyone: Identify = () => openCaller;
