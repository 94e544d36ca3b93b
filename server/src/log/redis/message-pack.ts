/**
 * A flat array of texts, small numbers and truth values as MessagePack, which
 * Redis's Lua takes apart in one call: one argument of a script in place of
 * thousands, each of which the driver would have to frame and Redis to copy.
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export class MessagePackArray {
  #bytes: Buffer;
  #length = headBytes;
  #items = 0;

  /** `bytes` is how much room is made at first; more is made when it is needed. */
  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(headBytes, bytes));
  }

  /** As `str 16`: up to 65,535 bytes of UTF-8. */
  addText(text: string): void {
    // No character of a string takes more than three bytes.
    this.#makeRoom(3 + text.length * 3);
    const start = this.#length + 3;
    const written = this.#bytes.write(text, start);
    if (written > 0xffff) throw new Error('a text of a unit is longer than 65,535 bytes');
    this.#bytes[this.#length] = 0xda;
    this.#bytes.writeUInt16BE(written, this.#length + 1);
    this.#length = start + written;
    this.#items += 1;
  }

  /** From 0 to 65,535. */
  addNumber(value: number): void {
    this.#makeRoom(3);
    this.#bytes[this.#length] = 0xcd;
    this.#bytes.writeUInt16BE(value, this.#length + 1);
    this.#length += 3;
    this.#items += 1;
  }

  addBoolean(value: boolean): void {
    this.#makeRoom(1);
    this.#bytes[this.#length] = value ? 0xc3 : 0xc2;
    this.#length += 1;
    this.#items += 1;
  }

  /** The whole array, as `array 32`. Nothing may be added after it. */
  finish(): Buffer {
    this.#bytes[0] = 0xdd;
    this.#bytes.writeUInt32BE(this.#items, 1);
    return this.#bytes.subarray(0, this.#length);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const headBytes = 5;
