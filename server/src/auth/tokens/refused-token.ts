/** Why a token is not taken, for the hub's log: never with the token or a part of it. */
export class RefusedToken extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RefusedToken';
  }
}
