import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** From the hub to its engine, or back. */
export type Direction = 'to-server' | 'to-client';

type Mode = 'pass' | 'drop' | 'stall' | { readonly delayMs: number };

/** What arrives in place of what was sent. */
type Change = (chunk: Buffer) => Buffer;

/**
 * A network between a client and a server on loopback that can be cut in each
 * direction. Connections that there are and those to come are cut alike.
 */
export class CutProxy {
  readonly port: number;
  /** Every byte that clients have sent, whether it arrived or not. */
  readonly #sent: Buffer[] = [];
  readonly #links = new Set<Link>();
  readonly #modes: Record<Direction, Mode> = { 'to-server': 'pass', 'to-client': 'pass' };
  readonly #changes: Record<Direction, Change> = { 'to-server': same, 'to-client': same };
  readonly #server: Server;
  #trigger: { readonly text: string; readonly cut: () => void } | undefined;

  constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client: Socket) => {
      const server = connect(target, '127.0.0.1');
      const link = new Link(client, server, this.#modes, this.#changes, (chunk) =>
        this.#note(chunk),
      );
      this.#links.add(link);
      client.once('close', () => this.#links.delete(link));
    });
  }

  /** Bytes vanish, and so does the end of a connection: both sides think that it is open. */
  drop(direction: Direction): void {
    this.#modes[direction] = 'drop';
  }

  /** Bytes are held back until `heal`. */
  stall(direction: Direction): void {
    this.#modes[direction] = 'stall';
  }

  /** Bytes arrive so much later, in their order. */
  delay(direction: Direction, delayMs: number): void {
    this.#modes[direction] = { delayMs };
  }

  /** Bytes arrive changed, as what comes at once. */
  change(direction: Direction, change: Change): void {
    this.#changes[direction] = change;
  }

  /** Bytes arrive as they were sent again. */
  changeNothing(): void {
    this.#changes['to-server'] = same;
    this.#changes['to-client'] = same;
  }

  /** Both sides of every connection are told that it is broken. New ones pass. */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  /** What was held back goes on, and new connections pass; one that has lost bytes stays dead until its client gives it up. */
  heal(): void {
    this.#modes['to-server'] = 'pass';
    this.#modes['to-client'] = 'pass';
    for (const link of this.#links) link.flush();
  }

  /** Cuts in the turn in which a client has sent `text`: the server still gets it, and its answer meets the cut. */
  onceSent(text: string, cut: () => void): void {
    this.#trigger = { text, cut };
  }

  /** How often clients sent this text, over all connections. */
  timesSent(text: string): number {
    return Buffer.concat(this.#sent).toString('latin1').split(text).length - 1;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.reset();
    await once(this.#server, 'close');
  }

  #note(chunk: Buffer): void {
    this.#sent.push(chunk);
    const trigger = this.#trigger;
    if (trigger === undefined || !chunk.includes(trigger.text)) return;
    this.#trigger = undefined;
    trigger.cut();
  }
}

const same: Change = (chunk) => chunk;

/** One connection and the way on from the proxy. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #held: Record<Direction, (Buffer | 'end')[]> = { 'to-server': [], 'to-client': [] };
  /** A stream with a hole in it is no stream any more. */
  readonly #broken: Record<Direction, boolean> = { 'to-server': false, 'to-client': false };
  readonly #modes: Readonly<Record<Direction, Mode>>;
  readonly #changes: Readonly<Record<Direction, Change>>;

  constructor(
    client: Socket,
    server: Socket,
    modes: Readonly<Record<Direction, Mode>>,
    changes: Readonly<Record<Direction, Change>>,
    sent: (chunk: Buffer) => void,
  ) {
    this.#client = client;
    this.#server = server;
    this.#modes = modes;
    this.#changes = changes;
    client.on('data', (chunk) => {
      this.#carry('to-server', chunk);
      sent(chunk);
    });
    server.on('data', (chunk) => this.#carry('to-client', chunk));
    for (const [socket, direction] of [
      [client, 'to-server'],
      [server, 'to-client'],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#carry(direction, 'end'));
    }
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  flush(): void {
    for (const direction of ['to-server', 'to-client'] as const) {
      for (const chunk of this.#held[direction].splice(0)) this.#carry(direction, chunk);
    }
  }

  #carry(direction: Direction, chunk: Buffer | 'end'): void {
    const mode = this.#modes[direction];
    if (mode === 'drop') this.#broken[direction] = true;
    if (mode === 'drop' || this.#broken[direction]) return;
    if (mode === 'pass') {
      this.#pass(direction, chunk);
      return;
    }
    this.#held[direction].push(chunk);
    if (typeof mode === 'object') setTimeout(() => this.#release(direction), mode.delayMs);
  }

  #release(direction: Direction): void {
    const chunk = this.#held[direction].shift();
    if (chunk !== undefined) this.#pass(direction, chunk);
  }

  #pass(direction: Direction, chunk: Buffer | 'end'): void {
    const [from, to] =
      direction === 'to-server' ? [this.#client, this.#server] : [this.#server, this.#client];
    if (chunk === 'end') to.destroy();
    else if (!to.destroyed && !to.write(this.#changes[direction](chunk))) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  }
}

/** In front of a server on this port of loopback. For whoever calls it: `close()`. */
export async function startCutProxy(target: number): Promise<CutProxy> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new CutProxy(server, target);
}
