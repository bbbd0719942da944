/** Reading a pickle's arguments one after another; nothing is read beyond its end. */
import { CheckpointError } from "@diptych/core";

export class PickleCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #path: string;
  #at: number;

  constructor(path: string, bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#path = path;
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  /** Moves over `length` bytes and gives their begin. @throws CheckpointError beyond the end. */
  take(length: number): number {
    const begin = this.#at;
    if (!(length >= 0 && begin + length <= this.#bytes.length)) {
      throw this.damaged(`${length} bytes at ${begin} of ${this.#bytes.length}`);
    }
    this.#at = begin + length;
    return begin;
  }

  uint8(): number {
    return this.#view.getUint8(this.take(1));
  }
  uint16(): number {
    return this.#view.getUint16(this.take(2), true);
  }
  int32(): number {
    return this.#view.getInt32(this.take(4), true);
  }
  uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }
  /** An unsigned 64-bit number as a length: the end of the bytes refuses large ones. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.take(8), true));
  }
  /** Big-endian, as pickles have it. */
  float64(): number {
    return this.#view.getFloat64(this.take(8), false);
  }

  /** A little-endian two's complement integer of `length` bytes; larger ones than 128 bits are refused. */
  integer(length: number): number | bigint {
    if (length > 16) throw this.damaged(`an integer of ${length} bytes`);
    const begin = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[begin + i]!);
    const signed = length === 0 ? 0n : BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  utf8(length: number): string {
    const begin = this.take(length);
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + begin, length).toString("utf8");
  }

  bytes(length: number): Uint8Array {
    const begin = this.take(length);
    return this.#bytes.slice(begin, begin + length);
  }

  /** Text up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw this.damaged(`a line without end at ${this.#at}`);
    const text = this.utf8(end - this.#at);
    this.take(1);
    return text;
  }

  damaged(what: string): CheckpointError {
    return new CheckpointError(
      `checkpoints/pickle: ${this.#path}: expected a pickle, got ${what}. The file is truncated, damaged, or of another format.`,
    );
  }
}
