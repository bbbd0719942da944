/** What tells one set of weights from another: a hash of their names, shapes and values. */
import { createHash } from "node:crypto";
import type { HostTensor } from "@diptych/core";

/**
 * SHA-256 (hex) over the tensors in the order of their names: equal for equal weights, from whatever file and format they
 * were read, as long as they are kept in the same dtype.
 */
export function fingerprintWeights(parameters: ReadonlyMap<string, HostTensor>): string {
  const hash = createHash("sha256");
  for (const [name, { dtype, shape, data }] of [...parameters].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}
