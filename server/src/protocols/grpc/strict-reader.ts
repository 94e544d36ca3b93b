import { isUtf8 } from 'node:buffer';
import protobuf from 'protobufjs';
import { HubError } from '../../base/errors.ts';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

/**
 * Reads protobuf without changing a value in silence: text that is not UTF-8
 * is refused instead of folded to U+FFFD, a field of another wire type is
 * refused instead of read as garbage, and text that ends early is refused.
 */
export class StrictReader extends protobuf.BufferReader {
  /** The last varint: where a value begins, its field's number and wire type. */
  tag = 0;

  override uint32(): number {
    const byte = this.buf[this.pos];
    if (byte !== undefined && byte < 0x80 && this.pos < this.len) {
      this.pos += 1;
      this.tag = byte;
      return byte;
    }
    this.tag = super.uint32();
    return this.tag;
  }

  override string(): string {
    this.expect(LENGTH_DELIMITED);
    const length = this.uint32();
    const start = this.pos;
    const end = start + length;
    if (end > this.len) throw new RangeError('text ends after its message');
    this.pos = end;
    const buffer = this.buf as Buffer;
    const text = buffer.toString('utf8', start, end);
    if (text.includes('\ufffd') && !isUtf8(buffer.subarray(start, end))) {
      throw new HubError('unreadable', 'a text is not UTF-8: encode it as UTF-8');
    }
    return text;
  }

  override double(): number {
    this.expect(FIXED64);
    return super.double();
  }

  override int32(): number {
    this.expect(VARINT);
    return super.int32();
  }

  override bool(): boolean {
    this.expect(VARINT);
    return super.bool();
  }

  private expect(wireType: number): void {
    if ((this.tag & 7) !== wireType) throw new TypeError('a field has the wrong wire type');
  }
}
