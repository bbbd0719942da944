import { expect, it } from "vitest";
import {
  bytesField,
  encodedBytes,
  floatField,
  intField,
  intsField,
  joinEncoded,
  messageField,
  stringField,
  type Encoded,
} from "./protobuf.js";

const hex = (part: Encoded): string => Buffer.from(encodedBytes(part)).toString("hex");

// The examples of protobuf.dev/programming-guides/encoding.
it("encodes the specification's examples", () => {
  expect(hex(intField(1, 150))).toBe("089601");
  expect(hex(stringField(2, "testing"))).toBe("120774657374696e67");
  expect(hex(messageField(3, intField(1, 150)))).toBe("1a03089601");
  expect(hex(intsField(6, [3, 270, 86942]))).toBe("3206038e029ea705");
  expect(hex(intField(1, -2))).toBe("08feffffffffffffffff01");
});

it("encodes floats and 64-bit integers", () => {
  expect(hex(floatField(2, 1.5))).toBe("150000c03f");
  expect(hex(intField(1, 2n ** 63n - 1n))).toBe("08ffffffffffffffff7f");
  expect(hex(intField(20, 1))).toBe("a00101");
});

it("copies bytes only at the end", () => {
  const bytes = new Uint8Array(3);
  const message = joinEncoded([bytesField(1, bytes), intField(2, 0)]);
  bytes.fill(7);
  expect(hex(message)).toBe("0a030707071000");
  expect(message.length).toBe(7);
});
