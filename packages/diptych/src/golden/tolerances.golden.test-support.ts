// How far an engine may be from the golden values, in one table, and why.

/** Relative to the largest entry of each tensor. */
export interface GoldenTolerances {
  /** Features, logits, and buffers after a step. */
  readonly features: number;
  /** The loss, relative to itself. */
  readonly loss: number;
  readonly gradients: number;
  /**
   * The same for models with relu. A golden ModifiedResNet has a unit at 6e-7 of its layer's largest entry from 0: an
   * engine whose convolutions round in another order puts it on the other side, and the gradients of the layers before
   * move by up to 1.1e-2 (libtensorflow's do so with oneDNN, and stay without).
   */
  readonly gradientsWithKinks: number;
  /** Allowed beside it for small gradients, relative to the model's largest. */
  readonly gradientFloor: number;
  /**
   * Twenty steps: `torch` keeps every judged number and all final weights within five times PyTorch's own float32
   * distance from float64; a number is how far the curve of the loss may be from float64's, relative to its largest.
   */
  readonly run: "torch" | number;
}

/** Engines whose sums are as exact as PyTorch's own, which is off by about 4e-6 from float64. */
export const EXACT_FLOAT32: GoldenTolerances = Object.freeze({
  features: 1e-5,
  loss: 1e-6,
  gradients: 2e-5,
  gradientsWithKinks: 2e-5,
  gradientFloor: 1e-6,
  run: "torch",
});

/**
 * Float32 engines that approximate more: erf by a polynomial (Abramowitz and Stegun 7.1.26, up to 2e-7 absolute), exp and
 * tanh of a shader's precision, sums in one accumulator. What every float32 engine must keep.
 */
export const APPROXIMATE_FLOAT32: GoldenTolerances = Object.freeze({
  features: 1e-4,
  loss: 1e-5,
  gradients: 1e-3,
  gradientsWithKinks: 2e-2,
  gradientFloor: 1e-5,
  run: 1e-3,
});
