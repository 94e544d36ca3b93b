import type { Instant } from './clock.ts';

/** What a hub's file holds, as far as one can tell two of them apart by it. */
export interface FileContent {
  /** The log's identity. */
  readonly logId: string;
  readonly events: number;
  /** Those that retention has removed: of each a record stays. */
  readonly removed: number;
  /** The newest position; absent when there is no event. */
  readonly newest: string | undefined;
}

export interface CopyOptions {
  /** Of so many pages so many are copied. */
  readonly onProgress: (copied: number, total: number) => void;
  /** Ends the copy before its end; nothing of it stays. */
  readonly signal: AbortSignal;
}

export interface BackUpOptions extends CopyOptions {
  /** The path of the copy. */
  readonly to: string;
  /** In place of what is there. */
  readonly replace: boolean;
}

export interface RestoreOptions extends CopyOptions {
  /** The path of the copy. */
  readonly from: string;
  /** What was there goes for good; else it is kept under the name `aside`. */
  readonly aside: string | undefined;
  /** The time of the restore. */
  readonly at: Instant;
}

/** An API key, as far as one must know it to tell whether it holds. */
export interface CopiedKey {
  readonly id: string;
  readonly name: string;
  readonly expiresAt: Instant | undefined;
  readonly revokedAt: Instant | undefined;
}

/** Who may come in at a hub that was restored. */
export interface RestoredAccess {
  /** What was there: a hub, of which all that was ended stays ended; or nothing that tells of it. */
  readonly replaced: 'hub' | 'no hub' | 'unreadable';
  /** Nobody comes in without a credential. */
  readonly isClosed: boolean;
  /** Those of which what was there does not tell, ended ones among them. */
  readonly onlyInCopy: readonly CopiedKey[];
}

export interface Restored extends FileContent {
  readonly access: RestoredAccess;
  /** Where what was there is now. */
  readonly aside: string | undefined;
}

/** Whole copies of a hub that is one file, and back from them. */
export interface FileBackups {
  /** Beside a running hub. Rejects with `conflict` when something is there already. */
  backUp(url: string, options: BackUpOptions): Promise<FileContent>;
  /** Rejects with `conflict` while a hub runs on the file, and for what is no whole copy of a hub's. */
  restore(url: string, options: RestoreOptions): Promise<Restored>;
}
