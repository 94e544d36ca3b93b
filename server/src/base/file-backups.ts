/** What a hub's file holds, as far as one can tell two of them apart by it. */
export interface FileContent {
  /** The log's identity. */
  readonly logId: string;
  readonly events: number;
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
}

export interface Restored extends FileContent {
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
