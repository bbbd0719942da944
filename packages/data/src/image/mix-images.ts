/** A weighted mean of two pictures, alpha included: what lies between two drawings of one thing. */
import { DataError, type Image } from "@diptych/core";

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
  const dataA = a.data;
  const dataB = b.data;
  const out = new Uint8Array(dataA.length);
  for (let i = 0; i < out.length; i += 4) {
    let ownA = (1 - weight) * (dataA[i + 3] as number);
    let ownB = weight * (dataB[i + 3] as number);
    const alpha = ownA + ownB;
    if (alpha === 0) continue;
    ownA /= alpha;
    ownB /= alpha;
    // A weighted mean of bytes is within 0 to 255: adding a half and cutting rounds it.
    out[i] = (dataA[i] as number) * ownA + (dataB[i] as number) * ownB + 0.5;
    out[i + 1] = (dataA[i + 1] as number) * ownA + (dataB[i + 1] as number) * ownB + 0.5;
    out[i + 2] = (dataA[i + 2] as number) * ownA + (dataB[i + 2] as number) * ownB + 0.5;
    out[i + 3] = alpha + 0.5;
  }
  return { width: a.width, height: a.height, channels: 4, data: out };
}
