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
   * engine that is a little less exact puts it on the other side, and gradients of the layers before move by up to 1.1e-2
   * (libtensorflow's did, as long as batch norm's statistics came from one accumulator).
   */
  readonly gradientsWithKinks: number;
  /** Allowed beside it for small gradients, relative to the model's largest. */
  readonly gradientFloor: number;
  /**
   * Twenty steps: `torch` keeps every judged number and all final weights within five times PyTorch's own float32
   * distance from float64; a number is how far the curve of the loss may be from float64's, relative to its largest.
   */
  readonly run: "torch" | number;
  /** Whether a step repeats bit for bit. Where sums of scattered entries are atomic adds, their order is nobody's. */
  readonly replays: boolean;
}

/**
 * ONNX Runtime on the CPU; TensorFlow.js's `node`, `wasm` and `cpu`. As exact as PyTorch's own float32, which is off by
 * about 4e-6 from float64; also where erf is a polynomial (Abramowitz and Stegun 7.1.26, up to 2e-7 absolute).
 */
export const EXACT_FLOAT32: GoldenTolerances = Object.freeze({
  features: 1e-5,
  loss: 1e-6,
  gradients: 2e-5,
  gradientsWithKinks: 2e-5,
  gradientFloor: 1e-6,
  run: "torch",
  replays: true,
});

/**
 * The WebGPU paths: exp, tanh and division are only as exact as a shader's, which WGSL bounds loosely (3 + 2·|x| units in
 * the last place for exp), and drivers differ. What every float32 engine must keep.
 */
export const APPROXIMATE_FLOAT32: GoldenTolerances = Object.freeze({
  features: 1e-4,
  loss: 1e-5,
  gradients: 1e-3,
  gradientsWithKinks: 2e-2,
  gradientFloor: 1e-5,
  run: 1e-3,
  replays: false,
});
