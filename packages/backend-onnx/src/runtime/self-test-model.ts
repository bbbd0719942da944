/** The model of the self-test, `y = a + b` on two numbers, and what it must give. */

/** ModelProto, IR 8, opset 17: `Add(a: float[2], b: float[2]) → y: float[2]`. */
const serialised =
  "CAg6TgoOCgFhCgFiEgF5IgNBZGQSCXNlbGYtdGVzdFoPCgFhEgoKCAgBEgQKAggCWg8KAWISCgoICAESBAoCCAJiDwoBeRIKCggIARIECgIIAkIECgAQEQ==";

/** The serialised model. */
export function selfTestModel(): Uint8Array {
  return new Uint8Array(Buffer.from(serialised, "base64"));
}

export const selfTestInputs = { a: [1.5, -2], b: [0.25, 8] } as const;
export const selfTestOutput = [1.75, 6] as const;
