import { parentPort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { systemClock } from '../../base/clock.ts';
import { HubError, type HubErrorOptions } from '../../base/errors.ts';
import { fromSqlite } from './sqlite-fault.ts';

/** What a thread can be asked, by name. Arguments and answers are cloned. */
export type Procedures = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ClonedError };

interface ClonedError {
  readonly code: HubError['code'];
  readonly message: string;
  readonly options: HubErrorOptions;
}

/** In the thread: answers requests in the order in which they come, but those first that are `urgent`. */
export function serveThread(procedures: Procedures, urgent?: ReadonlySet<string>): void {
  const answer = ({ id, name, args }: Request) => {
    const procedure = procedures[name] as ((...args: readonly unknown[]) => unknown) | undefined;
    try {
      if (procedure === undefined) throw new Error(`no procedure ${name}`);
      parentPort?.postMessage({ id, result: procedure(...args) } satisfies Answer);
    } catch (reason) {
      parentPort?.postMessage({ id, error: cloneError(reason) } satisfies Answer);
    }
  };
  if (urgent === undefined) parentPort?.on('message', answer);
  else parentPort?.on('message', (request: Request) => answerUrgentFirst(request, urgent, answer));
}

/** Takes what has come meanwhile before each answer. */
function answerUrgentFirst(
  first: Request,
  urgent: ReadonlySet<string>,
  answer: (request: Request) => void,
): void {
  const waiting = [first];
  while (waiting.length > 0) {
    waiting.push(...arrived());
    const at = waiting.findIndex(({ name }) => urgent.has(name));
    for (const request of waiting.splice(Math.max(at, 0), 1)) answer(request);
  }
}

function arrived(): readonly Request[] {
  const requests: Request[] = [];
  while (parentPort !== null) {
    const received = receiveMessageOnPort(parentPort);
    if (received === undefined) break;
    requests.push(received.message as Request);
  }
  return requests;
}

/** After so many deaths in a row a start comes once a second, so as not to keep the machine busy. */
const deathsMax = 20;
const restartMs = 1_000;

/** In the parent: calls a thread's procedures. A thread that dies fails what it was asked and is started anew. */
export class Thread<P extends Procedures> {
  readonly #file: URL;
  #data: unknown;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (result: never) => void; readonly reject: (reason: unknown) => void }
  >();
  #worker: Worker;
  /** Deaths in a row without an answer in between: a thread that cannot start. */
  #deaths = 0;
  /** Such a thread waits a moment before it is started anew; calls fail meanwhile. */
  #down = false;
  #nextId = 1;
  #closing = false;

  constructor(file: URL, data: unknown) {
    this.#file = file;
    this.#data = data;
    this.#worker = this.#start();
  }

  call<N extends keyof P & string>(
    name: N,
    ...args: Parameters<P[N]>
  ): Promise<Awaited<ReturnType<P[N]>>> {
    if (this.#closing) {
      return Promise.reject(new HubError('unavailable', 'the hub is stopping', { retryAfterS: 2 }));
    }
    if (this.#down) return Promise.reject(threadDied());
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, args } satisfies Request);
    });
  }

  /** What a thread gets that takes the place of this one. */
  restartWith(data: unknown): void {
    this.#data = data;
  }

  /** Ends the thread in the midst of what it does, as a fault of its own would: for tests of what follows. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Finishes what was asked, lets the thread close its database, and ends it. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closing) return;
    const closed = this.call(
      'close' as keyof P & string,
      ...([] as unknown as Parameters<P[string]>),
    );
    this.#closing = true;
    await closed.catch(() => undefined);
    await this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#file, {
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
    });
    worker.on('message', (answer: Answer) => this.#settle(answer));
    worker.on('error', (reason) => this.#fail(worker, reason));
    worker.on('exit', () => this.#fail(worker, new Error('the thread ended')));
    return worker;
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    this.#deaths = 0;
    if ('error' in answer) {
      const { code, message, options } = answer.error;
      waiting?.reject(new HubError(code, message, options));
    } else {
      waiting?.resolve(answer.result as never);
    }
  }

  #fail(worker: Worker, reason: unknown): void {
    if (worker !== this.#worker || this.#down) return;
    const error = threadDied(reason);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (this.#closing) return;
    this.#deaths += 1;
    if (this.#deaths < deathsMax) this.#restart();
    else {
      this.#down = true;
      systemClock.after(restartMs, () => this.#restart());
    }
  }

  #restart(): void {
    if (this.#closing) return;
    this.#down = false;
    this.#worker = this.#start();
  }
}

function threadDied(cause?: unknown): HubError {
  const options = { retryAfterS: 1, ...(cause === undefined ? {} : { cause }) };
  return new HubError('unavailable', 'the thread of the engine died; it is started anew', options);
}

function cloneError(reason: unknown): ClonedError {
  const error = HubError.from(fromSqlite(reason));
  const cause = error.cause instanceof Error ? error.cause.stack : error.cause;
  return {
    code: error.code,
    message: error.message,
    options: {
      details: error.details,
      ...(cause === undefined ? {} : { cause: String(cause) }),
      ...(error.retryAfterS === undefined ? {} : { retryAfterS: error.retryAfterS }),
      ...(error.position === undefined ? {} : { position: error.position }),
    },
  };
}
