/** Kernels that take entries by index, and add them where they came from. */
import { elementCount, rowMajorStrides } from "@diptych/core";
import { heapOf, inputOf, intsOf, numbersOf, startOf, type WasmKernel } from "./wasm-memory.js";

function checkIndex(what: string, index: number, size: number): void {
  if (index >= 0 && index < size) return;
  throw new RangeError(`${what}: expected an index in [0, ${size}), got ${index}.`);
}

/** Slices of x along an axis; indices [count]. */
const gather: WasmKernel = (call) => {
  const { backend } = call;
  const [x, indices] = [inputOf(call, "x"), inputOf(call, "indices")];
  const axis = call.attrs["axis"] as number;
  const count = elementCount(indices.shape);
  const y = backend.makeOutput(x.shape.with(axis, count), x.dtype);
  const outer = elementCount(x.shape.slice(0, axis));
  const size = x.shape[axis]!;
  const run = elementCount(x.shape.slice(axis + 1));
  const heap = heapOf(backend, x.dtype);
  const [source, target] = [startOf(backend, x), startOf(backend, y)];
  const chosen = intsOf(backend, indices);
  for (let i = 0; i < count; i++) checkIndex("take", chosen[i]!, size);
  for (let line = 0; line < outer; line++) {
    for (let i = 0; i < count; i++) {
      const read = source + (line * size + chosen[i]!) * run;
      const write = target + (line * count + i) * run;
      if (run === 1) heap[write] = heap[read]!;
      else heap.copyWithin(write, read, read + run);
    }
  }
  return y;
};

/** Calls `visit` with each entry's number and its position in x, where the index stands for the axis. */
function eachPosition(
  x: readonly number[],
  [shape, indices]: readonly [readonly number[], Int32Array],
  axis: number,
  visit: (entry: number, position: number) => void,
): void {
  const strides = rowMajorStrides(x);
  const [last, step, size] = [shape.length - 1, strides[axis]!, x[axis]!];
  const columns = shape[last]!;
  const along = axis === last ? 0 : 1;
  const index = new Array<number>(last).fill(0);
  for (let row = 0; row < indices.length; row += columns) {
    let base = 0;
    for (let i = 0; i < last; i++) if (i !== axis) base += index[i]! * strides[i]!;
    for (let column = 0; column < columns; column++) {
      const chosen = indices[row + column]!;
      checkIndex("index along an axis", chosen, size);
      visit(row + column, base + chosen * step + column * along);
    }
    for (let i = last - 1; i >= 0 && ++index[i]! === shape[i]; i--) index[i] = 0;
  }
}

/** One entry of x for each index along an axis. */
const takeAlong: WasmKernel = (call) => {
  const { backend } = call;
  const [x, indices] = [inputOf(call, "x"), inputOf(call, "indices")];
  const y = backend.makeOutput(indices.shape, x.dtype);
  const heap = heapOf(backend, x.dtype);
  const [source, target] = [startOf(backend, x), startOf(backend, y)];
  const chosen = [indices.shape, intsOf(backend, indices)] as const;
  eachPosition(x.shape, chosen, call.attrs["axis"] as number, (entry, position) => {
    heap[target + entry] = heap[source + position]!;
  });
  return y;
};

/** x with each update added where its index along an axis says; float32 or int32. */
const scatterAdd: WasmKernel = (call) => {
  const { backend } = call;
  const [x, indices, updates] = [
    inputOf(call, "x"),
    inputOf(call, "indices"),
    inputOf(call, "updates"),
  ];
  const y = backend.makeOutput(x.shape, x.dtype);
  const sums = numbersOf(backend, y);
  sums.set(numbersOf(backend, x));
  const added = numbersOf(backend, updates);
  const chosen = [indices.shape, intsOf(backend, indices)] as const;
  eachPosition(x.shape, chosen, call.attrs["axis"] as number, (entry, position) => {
    sums[position] = sums[position]! + added[entry]!;
  });
  return y;
};

export const INDEXED_KERNELS = { GatherV2: gather, TakeAlong: takeAlong, ScatterAdd: scatterAdd };
