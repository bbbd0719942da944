/** What tells one set of weights from another: a hash of their names, dtypes, shapes and values. */
import { createHash } from "node:crypto";
import { hostBytes, type HostTensor } from "@diptych/core";

/** OpenSSL takes less than 2 GiB at a time. */
const CHUNK_BYTES = 2 ** 26;

/**
 * SHA-256 (hex) over the tensors in the order of their names, each as the JSON of [name, dtype, shape] and its bytes.
 *
 * Equal for equal weights, from whatever file and format they were read and in whatever order, as long as they are kept in
 * the same dtype: the same weights in float16 are other weights. Nothing is copied.
 *
 * @example
 * const { parameters } = await readModel("ViT-B-32.pt");
 * weightsFingerprint(parameters); // 64 hexadecimal digits
 */
export function weightsFingerprint(parameters: ReadonlyMap<string, HostTensor>): string {
  const hash = createHash("sha256");
  const names = [...parameters.keys()].sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    const tensor = parameters.get(name)!;
    hash.update(JSON.stringify([name, tensor.dtype, tensor.shape]));
    const bytes = hostBytes(tensor);
    for (let from = 0; from < bytes.length; from += CHUNK_BYTES)
      hash.update(bytes.subarray(from, from + CHUNK_BYTES));
  }
  return hash.digest("hex");
}
