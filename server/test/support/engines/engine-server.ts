import type { EngineProcess } from './engine-process.ts';

/** A server of our own that a test kills, freezes and starts again, with what all of them have in common. */
export abstract class EngineServer {
  readonly port: number;
  /** Where its data is. */
  readonly folder: string;
  protected readonly process: EngineProcess;
  readonly #removeFolder: () => void;

  constructor(parts: {
    readonly port: number;
    readonly folder: string;
    readonly process: EngineProcess;
    readonly removeFolder: () => void;
  }) {
    this.port = parts.port;
    this.folder = parts.folder;
    this.process = parts.process;
    this.#removeFolder = parts.removeFolder;
  }

  /** On the same port and folder as before; resolves when it answers. */
  abstract start(): Promise<void>;

  /** SIGTERM. */
  async stop(): Promise<void> {
    await this.process.end('SIGTERM');
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.process.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** SIGSTOP. */
  pause(): void {
    this.process.pause();
  }

  /** SIGCONT. */
  resume(): void {
    this.process.resume();
  }

  get isRunning(): boolean {
    return this.process.isRunning;
  }

  /** Kills it, and removes its data. */
  async remove(): Promise<void> {
    await this.kill();
    this.#removeFolder();
  }
}
