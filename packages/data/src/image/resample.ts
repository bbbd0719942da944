/** Separable antialiased bicubic resampling of premultiplied pictures in plain typed arrays: for the many tiny ones, where a call into a native library costs more than the work. */
import type { PremultipliedImage } from "./premultiplied.js";

/** Where an output pixel reads from, and with which weights (they sum to 1). */
interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** [outputs, width]. */
  readonly weights: Float32Array;
  readonly width: number;
}

/** Keys' cubic with a = −0.5 (Keys 1981), as Pillow and PyTorch's antialiased resize use. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return ((-0.5 * t + 2.5) * t - 4) * t + 2;
  return 0;
}

/** The kernel is widened by the reduction, so that every source pixel counts. */
function cubicTaps(from: number, to: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const width = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Float32Array(to * width);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(from, Math.floor(centre + support + 0.5));
    starts[i] = start;
    counts[i] = end - start;
    let sum = 0;
    for (let j = start; j < end; j++) sum += cubic((j + 0.5 - centre) / stretch);
    for (let j = start; j < end; j++) {
      weights[i * width + j - start] = cubic((j + 0.5 - centre) / stretch) / sum;
    }
  }
  return { starts, counts, weights, width };
}

/** Bicubic resize to `width` × `height`; overshoot is cut to valid premultiplied values. */
export function resamplePremultiplied(
  image: PremultipliedImage,
  width: number,
  height: number,
): PremultipliedImage {
  const narrow = new Float32Array(image.height * width * 4);
  resampleAxis({
    data: image.data,
    out: narrow,
    taps: cubicTaps(image.width, width),
    lines: image.height,
    lineStride: image.width * 4,
    outLineStride: width * 4,
    stride: 4,
  });
  const data = new Float32Array(height * width * 4);
  resampleAxis({
    data: narrow,
    out: data,
    taps: cubicTaps(image.height, height),
    lines: width,
    lineStride: 4,
    outLineStride: 4,
    stride: width * 4,
  });
  cutOvershoot(data);
  return { width, height, data };
}

interface AxisJob {
  readonly data: Float32Array;
  readonly out: Float32Array;
  readonly taps: Taps;
  /** Lines across the axis, and the steps between their first elements. */
  readonly lines: number;
  readonly lineStride: number;
  readonly outLineStride: number;
  /** Step along the axis, in the input as in the output. */
  readonly stride: number;
}

function resampleAxis(job: AxisJob): void {
  const { data, out, stride } = job;
  const { starts, counts, weights, width } = job.taps;
  for (let line = 0; line < job.lines; line++) {
    for (let o = 0; o < starts.length; o++) {
      let from = line * job.lineStride + (starts[o] ?? 0) * stride;
      let r = 0;
      let g = 0;
      let b = 0;
      let a = 0;
      for (let k = o * width, end = k + (counts[o] ?? 0); k < end; k++, from += stride) {
        const weight = weights[k] ?? 0;
        r += weight * (data[from] ?? 0);
        g += weight * (data[from + 1] ?? 0);
        b += weight * (data[from + 2] ?? 0);
        a += weight * (data[from + 3] ?? 0);
      }
      const at = line * job.outLineStride + o * stride;
      out[at] = r;
      out[at + 1] = g;
      out[at + 2] = b;
      out[at + 3] = a;
    }
  }
}

function cutOvershoot(data: Float32Array): void {
  for (let i = 0; i < data.length; i += 4) {
    const alpha = Math.min(Math.max(data[i + 3] ?? 0, 0), 255);
    data[i + 3] = alpha;
    for (let c = i; c < i + 3; c++) data[c] = Math.min(Math.max(data[c] ?? 0, 0), alpha);
  }
}
