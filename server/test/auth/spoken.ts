/** Everything that a hub and its commands have said, to be searched for what they must never say. */
export class Spoken {
  readonly #said: { readonly where: string; readonly text: string }[] = [];

  add(where: string, text: string): void {
    this.#said.push({ where, text });
  }

  /** An answer over HTTP with all its headers; resolves with it, read. */
  async answer(where: string, asking: Promise<Response>): Promise<{ readonly status: number }> {
    const { status, headers, text } = await asking.then(async (response) => ({
      status: response.status,
      headers: JSON.stringify([...response.headers]),
      text: await response.text(),
    }));
    this.add(where, `${status} ${headers}\n${text}`);
    return { status };
  }

  /** The pieces of what was said, and the letters of all. */
  get size(): { readonly pieces: number; readonly characters: number } {
    const characters = this.#said.reduce((sum, { text }) => sum + text.length, 0);
    return { pieces: this.#said.length, characters };
  }

  /** Whether it was said at all, as it stands. */
  has(text: string): boolean {
    return this.#said.some((each) => each.text.includes(text));
  }

  /** `which secret, in which form, where`, for each that was let out. */
  find(secrets: Readonly<Record<string, string>>): readonly string[] {
    return Object.entries(secrets).flatMap(([name, secret]) =>
      formsOf(secret).flatMap(([form, pattern]) =>
        this.#said
          .filter(({ text }) => text.includes(pattern))
          .map(({ where }) => `${name}, ${form}: ${where}`),
      ),
    );
  }
}

/** How a secret looks in a text that carries it as it is, in a URL, in a header or in bytes. */
function formsOf(secret: string): readonly (readonly [form: string, pattern: string])[] {
  const bytes = Buffer.from(secret);
  // Whatever stands before it shifts the letters, and the ones at its edges mix with the neighbours'.
  const shifted = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  return [
    ['as it is', secret],
    ['in a URL', encodeURIComponent(secret)],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ...shifted.map((text) => ['in base64', text] as const),
    ...shifted.map((text) => ['in base64url', urlSafe(text)] as const),
    ['in hexadecimal', bytes.toString('hex')],
  ];
}

function urlSafe(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
