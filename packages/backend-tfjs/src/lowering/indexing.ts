/** Taking entries by index, and adding them where they came from. */
import { elementCount, rowMajorStrides } from "@diptych/core";
import type { PrimitiveAttrs } from "@diptych/core/backend";
import type { Kernels, Tensor } from "./kernels.js";
import { sizeOf } from "./kernels.js";
import { operand, resultOf, type ComputedName, type Lowering } from "./lowering.js";

const take: Lowering<PrimitiveAttrs["take"]> = (call, kernels) => {
  const [x, indices] = [operand(call, 0), operand(call, 1)];
  const flat = kernels.reshape(indices, [sizeOf(indices)]);
  const rows = kernels.run(
    "GatherV2",
    { x, indices: flat },
    { axis: call.attrs.axis, batchDims: 0 },
  );
  return kernels.reshape(rows, resultOf(call).shape);
};

/**
 * Positions in x, flattened, of the entries that `indices` names along `axis`: those of entry 0 of the axis, which sizes
 * tell, and the index times the axis's stride.
 */
function flatPositions(
  x: readonly number[],
  indices: Tensor,
  axis: number,
  kernels: Kernels,
): Tensor {
  const strides = rowMajorStrides(x);
  const { shape } = indices;
  const along = kernels.run("Multiply", { a: indices, b: kernels.scalar(strides[axis]!, "int32") });
  const bases = shape.flatMap((size, at) => {
    if (at === axis || size === 1) return [];
    const line = shape.map((_, other) => (other === at ? size : 1));
    return kernels.ints(`${line.join()}*${strides[at]!}`, line, () =>
      Int32Array.from({ length: size }, (_, i) => i * strides[at]!),
    );
  });
  const positions = bases.reduce((sum, base) => kernels.run("Add", { a: sum, b: base }), along);
  return kernels.reshape(positions, [elementCount(shape)]);
}

const takeAlong: Lowering<PrimitiveAttrs["takeAlong"]> = (call, kernels) => {
  const [x, indices] = [operand(call, 0), operand(call, 1)];
  const flat = kernels.reshape(x, [sizeOf(x)]);
  const positions = flatPositions(x.shape, indices, call.attrs.axis, kernels);
  const found = kernels.run("GatherV2", { x: flat, indices: positions }, { axis: 0, batchDims: 0 });
  return kernels.reshape(found, resultOf(call).shape);
};

const scatterAdd: Lowering<PrimitiveAttrs["scatterAdd"]> = (call, kernels) => {
  const { dtype, shape } = resultOf(call);
  const [x, indices, updates] = [0, 1, 2].map((i) => operand(call, i)) as [Tensor, Tensor, Tensor];
  if (sizeOf(updates) === 0) return x;
  if (dtype === "bool") {
    const [a, b] = [
      x,
      scattered(kernels.cast(updates, "int32"), { indices, shape, call, kernels }),
    ];
    return kernels.cast(kernels.run("Add", { a: kernels.cast(a, "int32"), b }), "bool");
  }
  const b = scattered(updates, { indices, shape, call, kernels });
  return kernels.run("Add", { a: x, b });
};

/** Zeros with the updates added where they belong. */
function scattered(
  updates: Tensor,
  {
    indices,
    shape,
    call,
    kernels,
  }: {
    readonly indices: Tensor;
    readonly shape: readonly number[];
    readonly call: { readonly attrs: { readonly axis: number } };
    readonly kernels: Kernels;
  },
): Tensor {
  const positions = flatPositions(shape, indices, call.attrs.axis, kernels);
  const sums = kernels.run(
    "ScatterNd",
    {
      indices: kernels.reshape(positions, [sizeOf(indices), 1]),
      updates: kernels.reshape(updates, [sizeOf(updates)]),
    },
    { shape: [elementCount(shape)] },
  );
  return kernels.reshape(sums, shape);
}

export const INDEXING = {
  take,
  takeAlong,
  scatterAdd,
} satisfies { readonly [Name in ComputedName]?: Lowering<PrimitiveAttrs[Name]> };
