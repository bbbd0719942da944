/** Initial values of parameters as data: what to draw, not the draw itself (see `drawInitializer` in draw.ts). */

/** Distribution of a parameter's first values. Standard deviations and bounds are absolute. */
export type Initializer =
  | { readonly kind: "zeros" }
  | { readonly kind: "ones" }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly std: number; readonly mean?: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "values"; readonly values: Float32Array };

export const zeros: Initializer = Object.freeze({ kind: "zeros" });
export const ones: Initializer = Object.freeze({ kind: "ones" });
export const constantInit = (value: number): Initializer =>
  Object.freeze({ kind: "constant", value });
/** Normal distribution of the given standard deviation. */
export const normal = (std: number, mean = 0): Initializer =>
  Object.freeze({ kind: "normal", std, mean });
/** Uniform distribution over [low, high). */
export const uniform = (low: number, high: number): Initializer =>
  Object.freeze({ kind: "uniform", low, high });
/** U(±1/√fanIn): PyTorch's default of Linear and Conv2d weights and biases (kaiming_uniform with a = √5). */
export const torchDefault = (fanIn: number): Initializer =>
  uniform(-1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
/** U(±√(6/(fanIn+fanOut))): xavier_uniform, as PyTorch initialises attention's in_proj. */
export const xavierUniform = (fanIn: number, fanOut: number): Initializer =>
  uniform(-Math.sqrt(6 / (fanIn + fanOut)), Math.sqrt(6 / (fanIn + fanOut)));
/** Given values, such as a sin-cos table. */
export const fixedValues = (values: Float32Array): Initializer =>
  Object.freeze({ kind: "values", values });
