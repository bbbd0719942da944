/** TensorFlow's ops on tensors whose type and shape we know: what a lowering is written in. Results are freed by scopes. */
import { elementCount, InternalError, type DType } from "@diptych/core";
import { TF_DTYPES, typeAttr, type TfAttr, type TfBinding } from "./tf-binding.js";

/** A tensor of libtensorflow by its handle. */
export interface TfTensor {
  readonly id: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface OpCall {
  readonly attrs?: readonly TfAttr[];
  readonly dtype: DType;
  readonly shape: readonly number[];
}

const DTYPE_OF: ReadonlyMap<number, DType> = new Map(
  Object.entries(TF_DTYPES).map(([dtype, number]) => [number, dtype as DType]),
);

/**
 * Calls ops and remembers what it made: `scope` frees all but its result, so that a lowering may leave its intermediate
 * tensors. Small constants (axes, permutations, numbers) are made once and kept until `dispose`.
 */
export class TfOps {
  readonly binding: TfBinding;
  readonly #constants = new Map<string, TfTensor>();
  readonly #kept = new Set<number>();
  #made: number[] = [];

  constructor(binding: TfBinding) {
    this.binding = binding;
  }

  /** One result of an op. */
  call(op: string, inputs: readonly TfTensor[], { attrs = [], dtype, shape }: OpCall): TfTensor {
    const [output] = this.binding.executeOp(op, attrs, idsOf(inputs), 1);
    if (output === undefined) throw new InternalError(`backend-tfjs/node: ${op}: no result.`);
    this.#made.push(output.id);
    return { id: output.id, dtype, shape };
  }

  /** All results of an op, with the types and shapes that TensorFlow gives them. */
  callAll(
    op: string,
    inputs: readonly TfTensor[],
    { attrs = [], outputs }: { readonly attrs?: readonly TfAttr[]; readonly outputs: number },
  ): readonly TfTensor[] {
    return this.binding.executeOp(op, attrs, idsOf(inputs), outputs).map(({ id, shape, dtype }) => {
      this.#made.push(id);
      const known = DTYPE_OF.get(dtype);
      if (known === undefined) throw new InternalError(`backend-tfjs/node: ${op}: dtype ${dtype}.`);
      return { id, dtype: known, shape };
    });
  }

  /** A tensor of host values. Their memory may be shared until it is freed. */
  create(
    dtype: "float32" | "int32" | "bool",
    shape: readonly number[],
    data: Float32Array | Int32Array | Uint8Array,
  ): TfTensor {
    const id = this.binding.createTensor(shape, TF_DTYPES[dtype], data);
    this.#made.push(id);
    return { id, dtype, shape };
  }

  /** Runs `work` and frees what it made but did not return. */
  scope<T extends TfTensor | readonly TfTensor[]>(work: () => T): T {
    const outer = this.#made;
    this.#made = [];
    let kept: ReadonlySet<number> = new Set();
    try {
      const result = work();
      kept = new Set(listOf(result).map(({ id }) => id));
      return result;
    } finally {
      for (const id of this.#made) {
        if (kept.has(id)) outer.push(id);
        else this.binding.deleteTensor(id);
      }
      this.#made = outer;
    }
  }

  /** A vector of integers, kept. */
  ints(values: readonly number[]): TfTensor {
    return this.constant(`i${values.join()}`, () =>
      this.create("int32", [values.length], Int32Array.from(values)),
    );
  }

  /** A number of `dtype`, kept. */
  number(value: number, dtype: DType): TfTensor {
    return this.constant(`${dtype}${Object.is(value, -0) ? "-0" : value}`, () =>
      dtype === "int32"
        ? this.create(dtype, [], Int32Array.of(value))
        : this.cast(this.create("float32", [], Float32Array.of(value)), dtype),
    );
  }

  /** A row of `count` ones of `dtype`, kept. */
  ones(count: number, dtype: DType): TfTensor {
    return this.constant(`ones${dtype}${count}`, () =>
      this.cast(this.create("float32", [1, count], new Float32Array(count).fill(1)), dtype),
    );
  }

  /** What `make` makes, once, kept until `dispose`. */
  constant(key: string, make: () => TfTensor): TfTensor {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const made = this.apart(make);
    this.#constants.set(key, made);
    this.#kept.add(made.id);
    return made;
  }

  /** Runs `make` in a scope of its own and gives its result away: no scope frees it. */
  apart<T extends TfTensor | readonly TfTensor[]>(make: () => T): T {
    const outer = this.#made;
    this.#made = [];
    try {
      return this.scope(make);
    } finally {
      this.#made = outer;
    }
  }

  /** Whether `x` is one of the constants that are kept. */
  isKept(x: TfTensor): boolean {
    return this.#kept.has(x.id);
  }

  cast(x: TfTensor, dtype: DType): TfTensor {
    if (x.dtype === dtype) return x;
    const attrs = [typeAttr("SrcT", x.dtype), typeAttr("DstT", dtype)];
    return this.call("Cast", [x], { attrs, dtype, shape: x.shape });
  }

  /** x's entries under another shape: no copy. */
  reshape(x: TfTensor, shape: readonly number[]): TfTensor {
    if (x.shape.length === shape.length && x.shape.every((size, axis) => size === shape[axis]))
      return x;
    const attrs = [typeAttr("T", x.dtype), typeAttr("Tshape", "int32")];
    return this.call("Reshape", [x, this.ints(shape)], { attrs, dtype: x.dtype, shape });
  }

  transpose(x: TfTensor, permutation: readonly number[]): TfTensor {
    if (permutation.every((axis, i) => axis === i)) return x;
    const shape = permutation.map((axis) => x.shape[axis] ?? 1);
    const long = permutation.filter((axis) => x.shape[axis] !== 1);
    // Only axes of size 1 move: the entries stay in their order.
    if (long.every((axis, i) => i === 0 || axis > (long[i - 1] ?? 0)))
      return this.reshape(x, shape);
    const attrs = [typeAttr("T", x.dtype), typeAttr("Tperm", "int32")];
    const { dtype } = x;
    return this.call("Transpose", [x, this.ints(permutation)], { attrs, dtype, shape });
  }

  broadcast(x: TfTensor, shape: readonly number[]): TfTensor {
    if (elementCount(x.shape) === elementCount(shape)) return this.reshape(x, shape);
    const attrs = [typeAttr("T", x.dtype), typeAttr("Tidx", "int32")];
    return this.call("BroadcastTo", [x, this.ints(shape)], { attrs, dtype: x.dtype, shape });
  }

  /** Op of one type attribute `T`, which its first operand has. */
  same(op: string, inputs: readonly TfTensor[], shape: readonly number[]): TfTensor {
    const dtype = inputs[0]?.dtype ?? "float32";
    return this.call(op, inputs, { attrs: typeAttrs(dtype), dtype, shape });
  }

  /** Frees the kept constants. */
  dispose(): void {
    for (const { id } of this.#constants.values()) this.binding.deleteTensor(id);
    this.#constants.clear();
    this.#kept.clear();
  }
}

const typeAttrCache = new Map<DType, readonly TfAttr[]>();

function typeAttrs(dtype: DType): readonly TfAttr[] {
  const known = typeAttrCache.get(dtype);
  if (known) return known;
  const made = [typeAttr("T", dtype)];
  typeAttrCache.set(dtype, made);
  return made;
}

function listOf(result: TfTensor | readonly TfTensor[]): readonly TfTensor[] {
  return "id" in result ? [result] : result;
}

function idsOf(tensors: readonly TfTensor[]): number[] {
  return tensors.map(({ id }) => id);
}
