/** One block of server-sent events, by its fields. */
export interface SseFrame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
  /** The text of a comment. */
  readonly comment?: string;
}

export interface OpenStream {
  readonly response: Response;
  /** The next block or line; undefined when the stream has ended. */
  next(): Promise<string | undefined>;
  /** The next frame with this `event:`, `''` for an event of the hub; the ones before it are dropped. */
  frame(event: string): Promise<SseFrame>;
  /** Everything until the stream ends. */
  rest(): Promise<string[]>;
  close(): Promise<void>;
}

/** Opens a live stream as a client does; `separator` is what ends a block. */
export async function openStream(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  separator = '\n\n',
  request: { readonly method?: string; readonly body?: string } = {},
): Promise<OpenStream> {
  const leaving = new AbortController();
  const response = await fetch(url, { ...request, headers, signal: leaving.signal });
  const blocks = blocksOf(response, separator);
  const next = async () => (await blocks.next()).value ?? undefined;
  return {
    response,
    next,
    frame: async (event) => {
      for (;;) {
        const block = await next();
        if (block === undefined) throw new Error(`the stream ended without a frame "${event}"`);
        const frame = parseFrame(block);
        if (frame.data !== undefined && (frame.event ?? '') === event) return frame;
      }
    },
    rest: async () => {
      const found: string[] = [];
      for (let block = await next(); block !== undefined; block = await next()) found.push(block);
      return found;
    },
    close: async () => {
      leaving.abort();
      await blocks.return(undefined);
    },
  };
}

export function parseFrame(block: string): SseFrame {
  const fields = block.split('\n').map((line) => {
    const colon = line.indexOf(':');
    const name = colon === 0 ? 'comment' : line.slice(0, colon);
    return [name, line.slice(colon + 1).trim()];
  });
  return Object.fromEntries(fields);
}

async function* blocksOf(response: Response, separator: string): AsyncGenerator<string, undefined> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf(separator); end !== -1; end = text.indexOf(separator)) {
        yield text.slice(0, end);
        text = text.slice(end + separator.length);
      }
    }
  } catch (reason) {
    if (!(reason instanceof DOMException)) throw reason;
  }
  return undefined;
}
