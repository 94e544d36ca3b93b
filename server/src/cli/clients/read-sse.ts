/** One frame of server-sent events; absent fields are undefined. */
export interface SseFrame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string | undefined;
}

/**
 * The whole frames of each chunk, as the HTML standard reads them; a frame that
 * was cut off is dropped, which is what makes a resume exact.
 */
export async function* readSse(chunks: AsyncIterable<string>): AsyncGenerator<readonly SseFrame[]> {
  let held = '';
  for await (const chunk of chunks) {
    held += chunk;
    const end = held.lastIndexOf('\n\n');
    if (end === -1) continue;
    const frames = held.slice(0, end).split('\n\n').map(parseFrame);
    held = held.slice(end + 2);
    yield frames;
  }
}

function parseFrame(text: string): SseFrame {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    const before = fields.get(name);
    fields.set(name, name === 'data' && before !== undefined ? `${before}\n${value}` : value);
  }
  return { id: fields.get('id'), event: fields.get('event'), data: fields.get('data') };
}
