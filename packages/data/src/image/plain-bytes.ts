/** Node's Buffer as a plain Uint8Array over the same memory: `slice` of a Buffer shares memory, of a Uint8Array copies. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
