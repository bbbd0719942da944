/** A weighted mean of two pictures, alpha included: what lies between two drawings of one thing. */
import { DataError, type Image } from "@diptych/core";
import { clampByte } from "./premultiplied.js";

/**
 * (1 − weight)·a + weight·b in premultiplied RGBA.
 *
 * @param a RGBA of straight alpha.
 * @param b The same size.
 * @param weight In [0, 1].
 * @throws DataError when sizes differ or a picture has no alpha.
 */
export function mixImages(a: Image, b: Image, weight: number): Image {
  if (a.channels !== 4 || b.channels !== 4 || a.width !== b.width || a.height !== b.height) {
    throw new DataError(
      `data/mixImages: b: expected an RGBA picture of ${a.width}×${a.height} like a, got ${b.width}×${b.height} with ${b.channels} channels (a has ${a.channels}). Decode with alpha and resize first.`,
    );
  }
  const out = new Uint8Array(a.data.length);
  for (let i = 0; i < out.length; i += 4) {
    const shareA = (1 - weight) * (a.data[i + 3] ?? 0);
    const shareB = weight * (b.data[i + 3] ?? 0);
    const alpha = shareA + shareB;
    out[i + 3] = clampByte(alpha);
    if (alpha === 0) continue;
    for (let c = i; c < i + 3; c++) {
      out[c] = clampByte(((a.data[c] ?? 0) * shareA + (b.data[c] ?? 0) * shareB) / alpha);
    }
  }
  return { width: a.width, height: a.height, channels: 4, data: out };
}
