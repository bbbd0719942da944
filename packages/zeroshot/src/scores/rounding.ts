/**
 * How far a backend's float32 product may lie from the dot product: what lets counts of float32 scores decide questions
 * about the exact ones.
 */
import { createGraph, createHostTensor, input, matmul, type Compute } from "@diptych/core";
import type { Embeddings } from "../ranking.js";

/** Unit roundoffs. */
const SINGLE = 2 ** -24;
const DOUBLE = 2 ** -53;
/** Below this a product may be flushed to zero. */
const LEAST_NORMAL = 2 ** -126;
/** From here on a sum of float32 products may overflow. */
const MOST = 1e37;
/** Of inputs that a backend narrows to as few bits as bfloat16 has. */
const NARROW = 2 ** -8;

/** γₙ = n·u / (1 − n·u), Higham, Accuracy and Stability of Numerical Algorithms, §3.1. */
function gamma(terms: number, roundoff: number): number {
  const product = terms * roundoff;
  return product < 1 ? product / (1 - product) : Infinity;
}

/**
 * The bound, over the product of the two lengths: |fl(x·y) − x·y| ≤ γₙ‖x‖‖y‖ whatever the order of the additions, with or
 * without fused operations (Higham §3.1 with Cauchy–Schwarz), for the float32 and for the float64 value together.
 *
 * @param narrows Whether the backend multiplies in fewer bits than float32 has ({@link narrowsProducts}).
 */
export function relativeSlack(width: number, narrows: boolean): number {
  const rounding = gamma(width, SINGLE) + gamma(width, DOUBLE);
  return rounding + (narrows ? 2 * NARROW + NARROW ** 2 : 0);
}

/**
 * How far a float32 score may lie from the exact one; infinite where the sum may overflow, for its score says nothing.
 *
 * @param product Of the lengths of both rows, or more.
 * @param slack {@link relativeSlack} of products of this width.
 */
export function scoreError(
  product: number,
  { width, slack }: { readonly width: number; readonly slack: number },
): number {
  if (!(product < MOST)) return Infinity;
  // What is lost where products fall below the least normal number.
  const absolute = 2 * width * LEAST_NORMAL;
  // A little more than the bound, for the roundings of these lines themselves.
  return (1 + 2 ** -20) * (slack * product + absolute);
}

/**
 * Whether the backend's products have fewer bits than float32 (TF32, bfloat16): 1 + 2⁻²³ times 1 must come back as it is.
 *
 * The probe has the size of a block, since the size decides which kernel runs.
 */
export async function narrowsProducts(
  compute: Compute,
  { rows, columns, width }: { rows: number; columns: number; width: number },
): Promise<boolean> {
  if (rows === 0 || columns === 0 || width === 0) return false;
  const exact = 1 + 2 ** -23;
  const first = (count: number, value: number): Embeddings => {
    const data = new Float32Array(count * width);
    for (let at = 0; at < data.length; at += width) data[at] = value;
    return createHostTensor("float32", [count, width], data);
  };
  const product = matmul(input("x", [rows, width]), input("y", [columns, width]), {
    transposeB: true,
  });
  const computation = await compute.compile(createGraph("score-probe", { product }));
  try {
    const found = await computation.run({ x: first(rows, exact), y: first(columns, 1) });
    return found["product"]?.data.some((value) => value !== exact) ?? true;
  } finally {
    await computation.dispose();
  }
}

/** The float32 next to x from below, and from above: x itself where it is one. */
export function roundDown(x: number): number {
  const near = Math.fround(x);
  return near > x ? neighbour(near, -1) : near;
}
export function roundUp(x: number): number {
  return -roundDown(-x);
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

function neighbour(x: number, direction: -1 | 1): number {
  if (x === 0) return direction * 2 ** -149;
  float[0] = x;
  bits[0] = (bits[0] ?? 0) + (x > 0 === direction > 0 ? 1 : -1);
  return float[0];
}

/** Length of each row, in float64. */
export function rowLengths({ data, shape }: Embeddings): Float64Array {
  const [rows = 0, width = 0] = shape;
  const lengths = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let square = 0;
    for (const end = at + width; at < end; at++) square += (data[at] ?? 0) ** 2;
    lengths[row] = Math.sqrt(square);
  }
  return lengths;
}

/** The dot product in float64, terms in order: the score that all definitions mean. */
export function exactScore(a: Embeddings, row: number, b: Embeddings, other: number): number {
  const width = a.shape[1] ?? 0;
  const [x, y] = [a.data, b.data];
  let at = row * width;
  let to = other * width;
  let dot = 0;
  for (const end = at + width; at < end; at++, to++) dot += (x[at] ?? 0) * (y[to] ?? 0);
  return dot;
}
