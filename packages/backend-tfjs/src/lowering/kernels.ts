/** TensorFlow.js's kernels as lowerings use them: tensors in, tensors out, no tape; temporaries belong to the open scope. */
import {
  createHostArray,
  elementCount,
  equalShapes,
  hostTensorFrom,
  UnsupportedOpError,
  type DType,
  type HostTensor,
} from "@diptych/core";
import type { Tensor } from "@tensorflow/tfjs-core";

export type { Tensor } from "@tensorflow/tfjs-core";
/** TensorFlow.js's core as an engine loaded it; there may be several copies, which share one engine. */
export type TfCore = typeof import("@tensorflow/tfjs-core");

/** What a kernel takes beside tensors. */
export type KernelAttrs = Readonly<Record<string, unknown>>;
export type CoreDtype = "float32" | "int32" | "bool";

/** Kept constants beyond this number make room for new ones. */
const KEPT_CONSTANTS = 256;

/**
 * Runs kernels of the engine that is current. What a lowering makes belongs to the scope that it runs in, which frees all
 * but the results; small constants are made once and kept.
 */
export class Kernels {
  readonly core: TfCore;
  readonly #name: string;
  readonly #replaced: ReadonlyMap<string, string>;
  readonly #constants = new Map<string, Tensor>();
  #made: Tensor[] = [];

  /** `name`: of the engine in TensorFlow.js's registry; `replaced`: kernels in whose place another, by its name, runs. */
  constructor(core: TfCore, name: string, replaced: ReadonlyMap<string, string> = new Map()) {
    this.core = core;
    this.#name = name;
    this.#replaced = replaced;
  }

  /** One result of a kernel; `inputs` is a list for kernels such as Concat. */
  run(
    kernel: string,
    inputs: Readonly<Record<string, Tensor>> | readonly Tensor[],
    attrs: KernelAttrs = {},
  ): Tensor {
    const name = this.#replaced.get(kernel) ?? kernel;
    const result = this.core.engine().runKernel<Tensor>(name, inputs as never, attrs as never);
    this.#made.push(result);
    return result;
  }

  /**
   * Runs `work`, frees what it made but did not return, and gives its results away: where they are operands, kept constants
   * or one tensor twice, as other handles on the same values.
   */
  scope(work: () => Tensor | readonly Tensor[]): readonly Tensor[] {
    const outer = this.#made;
    this.#made = [];
    const given = new Set<Tensor>();
    try {
      const returned = work();
      const results = "dataId" in returned ? [returned] : returned;
      const own = new Set(this.#made);
      return results.map((tensor) => {
        const result = own.has(tensor) && !given.has(tensor) ? tensor : this.alias(tensor);
        given.add(result);
        return result;
      });
    } finally {
      for (const tensor of this.#made) if (!given.has(tensor)) tensor.dispose();
      this.#made = outer;
      this.#dropOldConstants();
    }
  }

  /** The only result of a {@link scope}, for what a call derives. */
  own(work: () => Tensor): Tensor {
    return this.scope(work)[0]!;
  }

  /** Another handle on the same values, of no scope. A reshape shares them on every engine; Identity copies on some. */
  alias(tensor: Tensor): Tensor {
    const { shape } = tensor;
    return this.core.engine().runKernel<Tensor>("Reshape", { x: tensor }, { shape });
  }

  /** A tensor of no scope over host values, which nobody may write while it lives. Needs no current engine. */
  fromHost({ dtype, shape, data }: HostTensor): Tensor {
    const engine = this.core.engine();
    const values = data as Float32Array;
    return engine.makeTensor(values, [...shape], coreDtype(dtype), engine.findBackend(this.#name));
  }

  /** A tensor of the open scope over host values. */
  values(dtype: CoreDtype, shape: readonly number[], data: HostTensor["data"]): Tensor {
    const made = this.fromHost({ dtype, shape, data });
    this.#made.push(made);
    return made;
  }

  /** A tensor of no scope without entries. */
  empty(shape: readonly number[], dtype: DType): Tensor {
    return this.fromHost({ dtype, shape, data: createHostArray(dtype, 0) });
  }

  /** x's entries under another shape: no copy. */
  reshape(x: Tensor, shape: readonly number[]): Tensor {
    return equalShapes(x.shape, shape) ? x : this.run("Reshape", { x }, { shape: [...shape] });
  }

  transpose(x: Tensor, permutation: readonly number[]): Tensor {
    if (permutation.every((axis, i) => axis === i)) return x;
    const long = permutation.filter((axis) => x.shape[axis] !== 1);
    // Only axes of size 1 move: the entries stay in their order.
    if (long.every((axis, i) => i === 0 || axis > long[i - 1]!))
      return this.reshape(
        x,
        permutation.map((axis) => x.shape[axis]!),
      );
    return this.run("Transpose", { x }, { perm: [...permutation] });
  }

  cast(x: Tensor, dtype: DType): Tensor {
    const wanted = coreDtype(dtype);
    if (x.dtype === wanted) return x;
    // The kernel of wasm keeps the lowest byte of what becomes a boolean.
    if (wanted === "bool")
      return this.run("NotEqual", { a: x, b: this.scalar(0, x.dtype as CoreDtype) });
    return this.run("Cast", { x }, { dtype: wanted });
  }

  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    if (equalShapes(x.shape, size)) return x;
    return this.run("Slice", { x }, { begin: [...begin], size: [...size] });
  }

  /** Every `strides`-th pixel of an NHWC picture from `begin`, `size` in all. */
  window(
    x: Tensor,
    begin: readonly number[],
    {
      strides: [down, right],
      size,
    }: { readonly strides: readonly [number, number]; readonly size: readonly number[] },
  ): Tensor {
    if (down === 1 && right === 1) return this.slice(x, begin, size);
    const steps = [1, down, right, 1];
    const end = begin.map((first, axis) => first + (size[axis]! - 1) * steps[axis]! + 1);
    const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
    return this.run("StridedSlice", { x }, { begin: [...begin], end, strides: steps, ...masks });
  }

  /** Zeros of `shape` (false for bool) with x at `begins`. */
  pad(x: Tensor, begins: readonly number[], shape: readonly number[]): Tensor {
    if (equalShapes(x.shape, shape)) return x;
    const paddings = shape.map((size, axis) => [
      begins[axis]!,
      size - x.shape[axis]! - begins[axis]!,
    ]);
    return this.run("PadV2", { x }, { paddings, constantValue: 0 });
  }

  concat(tensors: readonly Tensor[], axis: number): Tensor {
    return tensors.length === 1 ? tensors[0]! : this.run("Concat", tensors, { axis });
  }

  fill(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
    return this.run("Fill", {}, { shape: [...shape], value, dtype: coreDtype(dtype) });
  }

  /** x stretched to `shape` by numpy's rules. */
  broadcast(x: Tensor, shape: readonly number[]): Tensor {
    if (equalShapes(x.shape, shape)) return x;
    const aligned = [...new Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
    const reps = shape.map((size, axis) => (aligned[axis] === size ? 1 : size));
    if (reps.every((times) => times === 1)) return this.reshape(x, shape);
    return this.run("Tile", { x: this.reshape(x, aligned) }, { reps });
  }

  /** A scalar, kept. */
  scalar(value: number, dtype: CoreDtype = "float32"): Tensor {
    const name = Object.is(value, -0) ? "-0" : String(value);
    return this.kept(`${dtype}:${name}`, () => this.fromHost(hostTensorFrom(dtype, [], [value])));
  }

  /** int32 values, kept. */
  ints(key: string, shape: readonly number[], make: () => Int32Array): Tensor {
    return this.kept(`ints:${key}`, () => this.fromHost({ dtype: "int32", shape, data: make() }));
  }

  /** The tensor of no scope that `make` makes, kept for later calls. */
  kept(key: string, make: () => Tensor): Tensor {
    const made = this.#constants.get(key) ?? make();
    // The oldest goes first: those in use are put to the end.
    this.#constants.delete(key);
    this.#constants.set(key, made);
    return made;
  }

  /** Frees the kept constants. */
  dispose(): void {
    for (const tensor of this.#constants.values()) tensor.dispose();
    this.#constants.clear();
  }

  /** Between lowerings, when none is in use. */
  #dropOldConstants(): void {
    if (this.#made.length > 0 || this.#constants.size <= KEPT_CONSTANTS) return;
    for (const [key, tensor] of this.#constants) {
      if (this.#constants.size <= KEPT_CONSTANTS) break;
      tensor.dispose();
      this.#constants.delete(key);
    }
  }
}

/** Entries of a tensor. */
export const sizeOf = ({ shape }: { readonly shape: readonly number[] }): number =>
  elementCount(shape);

/** TensorFlow.js's name of a dtype. @throws UnsupportedOpError on 16-bit floats, which it has not. */
function coreDtype(dtype: DType): CoreDtype {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new UnsupportedOpError(
    `backend-tfjs: dtype: expected float32, int32 or bool, got ${dtype}, which TensorFlow.js has not. Use the engine node, or another precision.`,
  );
}
