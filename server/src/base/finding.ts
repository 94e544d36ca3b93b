/** One thing that was looked at, for people. */
export interface Finding {
  readonly state: 'ok' | 'warn' | 'fail';
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** What was found, and what to do where that is not well. */
  readonly detail: string;
}
