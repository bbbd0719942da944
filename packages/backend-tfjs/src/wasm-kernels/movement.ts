/** Kernels that move entries, with the contracts of TensorFlow.js's kernels of the same names, which take 5 to 50 times as long. */
import { rowMajorStrides } from "@diptych/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { stridedCopy, type View } from "./strided-copy.js";
import { heapOf, inputOf, startOf, type WasmBackend, type WasmKernel } from "./wasm-memory.js";

type Sizes = readonly number[];

/** Part of a tensor: where it begins, and its strides; by default those of the tensor's shape. */
interface Part {
  readonly offset?: number;
  readonly strides?: readonly number[];
}

const partOf = (backend: WasmBackend, x: TensorInfo, part: Part): View => ({
  offset: startOf(backend, x) + (part.offset ?? 0),
  strides: part.strides ?? rowMajorStrides(x.shape),
});

/** Copies `sizes` entries from one tensor to another. */
function move(
  backend: WasmBackend,
  sizes: Sizes,
  [x, from]: readonly [TensorInfo, Part],
  [y, to]: readonly [TensorInfo, Part],
): void {
  stridedCopy(heapOf(backend, x.dtype), sizes, {
    from: partOf(backend, x, from),
    to: partOf(backend, y, to),
  });
}

/** Where the entry at `begins` lies. */
const offsetOf = (shape: Sizes, begins: Sizes): number =>
  rowMajorStrides(shape).reduce((sum, stride, axis) => sum + stride * begins[axis]!, 0);

/** A new tensor filled from a view of x. */
function gathered(backend: WasmBackend, x: TensorInfo, shape: Sizes, from: Part): TensorInfo {
  const y = backend.makeOutput([...shape], x.dtype);
  move(backend, shape, [x, from], [y, {}]);
  return y;
}

const transpose: WasmKernel = (call) => {
  const x = inputOf(call, "x");
  const perm = call.attrs["perm"] as Sizes;
  const strides = rowMajorStrides(x.shape);
  const shape = perm.map((axis) => x.shape[axis]!);
  return gathered(call.backend, x, shape, { strides: perm.map((axis) => strides[axis]!) });
};

const slice: WasmKernel = (call) => {
  const x = inputOf(call, "x");
  const { begin, size } = call.attrs as { begin: Sizes; size: Sizes };
  return gathered(call.backend, x, size, { offset: offsetOf(x.shape, begin) });
};

/** Strides above 0, no masks. */
const stridedSlice: WasmKernel = (call) => {
  const x = inputOf(call, "x");
  const { begin, end, strides } = call.attrs as { begin: Sizes; end: Sizes; strides: Sizes };
  const shape = begin.map((first, axis) => Math.ceil((end[axis]! - first) / strides[axis]!));
  return gathered(call.backend, x, shape, {
    offset: offsetOf(x.shape, begin),
    strides: rowMajorStrides(x.shape).map((stride, axis) => stride * strides[axis]!),
  });
};

/** Filled with 0 (false). */
const pad: WasmKernel = (call) => {
  const { backend } = call;
  const x = inputOf(call, "x");
  const paddings = call.attrs["paddings"] as readonly (readonly [number, number])[];
  const shape = paddings.map(([before, after], axis) => before + x.shape[axis]! + after);
  const y = backend.makeOutput(shape, x.dtype);
  const strides = rowMajorStrides(shape);
  const start = startOf(backend, y);
  heapOf(backend, x.dtype).fill(0, start, start + (strides[0] ?? 1) * (shape[0] ?? 1));
  const offset = offsetOf(
    shape,
    paddings.map(([before]) => before),
  );
  move(backend, x.shape, [x, {}], [y, { offset, strides }]);
  return y;
};

const concat: WasmKernel = ({ inputs, attrs, backend }) => {
  const parts = Object.values(inputs);
  const axis = attrs["axis"] as number;
  const [{ shape: sizes, dtype }] = parts as [TensorInfo];
  const length = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const y = backend.makeOutput(sizes.with(axis, length), dtype);
  const strides = rowMajorStrides(y.shape);
  let offset = 0;
  for (const x of parts) {
    move(backend, x.shape, [x, {}], [y, { offset, strides }]);
    offset += x.shape[axis]! * strides[axis]!;
  }
  return y;
};

/** Each axis of x, and before it how often. */
const tile: WasmKernel = (call) => {
  const { backend } = call;
  const x = inputOf(call, "x");
  const reps = call.attrs["reps"] as Sizes;
  const y = backend.makeOutput(
    x.shape.map((size, axis) => size * reps[axis]!),
    x.dtype,
  );
  const [read, write] = [rowMajorStrides(x.shape), rowMajorStrides(y.shape)];
  const from = { strides: read.flatMap((stride) => [0, stride]) };
  const to = { strides: write.flatMap((stride, axis) => [stride * x.shape[axis]!, stride]) };
  const sizes = x.shape.flatMap((size, axis) => [reps[axis]!, size]);
  move(backend, sizes, [x, from], [y, to]);
  return y;
};

export const MOVEMENT_KERNELS = {
  Transpose: transpose,
  Slice: slice,
  StridedSlice: stridedSlice,
  PadV2: pad,
  Concat: concat,
  Tile: tile,
} satisfies Record<string, WasmKernel>;
