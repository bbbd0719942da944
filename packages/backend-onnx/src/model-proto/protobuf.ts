/**
 * Writing protobuf's wire format: each function encodes one field as a tree
 * of chunks, so that big tensors are copied once, at the end. Fields with default
 * values are written all the same; the callers leave out what is absent.
 */

/** Encoded bytes, not yet joined: a tree, so that each message is made in the time of its own fields. */
export interface Encoded {
  readonly parts: readonly (Uint8Array | readonly number[] | Encoded)[];
  readonly length: number;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const utf8 = new TextEncoder();

function encoded(chunk: Uint8Array | readonly number[]): Encoded {
  return { parts: [chunk], length: chunk.length };
}

/** The parts one after another: a message from its fields. */
export function joinEncoded(parts: readonly Encoded[]): Encoded {
  return { parts, length: parts.reduce((sum, part) => sum + part.length, 0) };
}

/** Bytes of a base-128 number; negative ones as 64-bit two's complement, as protobuf's int64. */
function varint(value: number | bigint): number[] {
  if (typeof value === "number" && value >= 0 && value < 0x80) return [value];
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function tag(field: number, wire: number): number[] {
  return varint(field * 8 + wire);
}

/** An integer field (int32, int64, enum). */
export function intField(field: number, value: number | bigint): Encoded {
  return encoded([...tag(field, VARINT), ...varint(value)]);
}

/** Repeated integers, packed. */
export function intsField(field: number, values: readonly (number | bigint)[]): Encoded {
  return bytesField(field, Uint8Array.from(values.flatMap(varint)));
}

/** A 32-bit float field. */
export function floatField(field: number, value: number): Encoded {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return encoded([...tag(field, FIXED32), ...bytes]);
}

/** Bytes, not copied until {@link encodedBytes}. */
export function bytesField(field: number, bytes: Uint8Array): Encoded {
  return messageField(field, encoded(bytes));
}

export function stringField(field: number, text: string): Encoded {
  return bytesField(field, utf8.encode(text));
}

/** A nested message. */
export function messageField(field: number, message: Encoded): Encoded {
  const head = [...tag(field, LENGTH_DELIMITED), ...varint(message.length)];
  return { parts: [head, message], length: head.length + message.length };
}

/** One array of all bytes. */
export function encodedBytes(message: Encoded): Uint8Array {
  const bytes = new Uint8Array(message.length);
  let at = 0;
  const write = ({ parts }: Encoded): void => {
    for (const part of parts) {
      if ("parts" in part) {
        write(part);
        continue;
      }
      bytes.set(part, at);
      at += part.length;
    }
  };
  write(message);
  return bytes;
}
