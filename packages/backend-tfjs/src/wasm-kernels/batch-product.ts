/**
 * Many products of matrices. The engine's kernel hands one product to XNNPACK and computes more than one itself, ten times
 * as slow: here each is handed over, on views of the operands that the engine takes for tensors.
 */
import { inputOf, type WasmBackend, type WasmKernel } from "./wasm-memory.js";

/** Numbers of the views, far above those that the engine gives out one by one. */
const [A_VIEW, B_VIEW, OUT_VIEW] = [0x7ffffff1, 0x7ffffff2, 0x7ffffff3];

/** a, its shape and rank, b, its shape and rank, whether either is transposed, the result. */
type NativeProduct = (
  ...operands: [
    ...a: [id: number, shape: Uint8Array, rank: number],
    ...b: [id: number, shape: Uint8Array, rank: number],
    ...flags: [number, number],
    out: number,
  ]
) => void;

const WRAPPED = new WeakMap<object, NativeProduct>();

function nativeProduct({ wasm }: WasmBackend): NativeProduct {
  const known = WRAPPED.get(wasm);
  if (known) return known;
  const [one, list] = ["number", "array"] as const;
  const types = [one, list, one, one, list, one, one, one, one];
  const wrapped = wasm.cwrap("BatchMatMul", null, types) as NativeProduct;
  WRAPPED.set(wasm, wrapped);
  return wrapped;
}

const shapeBytes = (shape: readonly number[]): Uint8Array =>
  new Uint8Array(Int32Array.from(shape).buffer);

/** a [count, rows, inner] times b [count, inner, columns]; where one of them has count 1, it serves all of the other. */
export const batchProduct: WasmKernel = (call) => {
  const { backend } = call;
  const [a, b] = [inputOf(call, "a"), inputOf(call, "b")];
  const [countA, rows, inner] = a.shape as [number, number, number];
  const [countB, , columns] = b.shape as [number, number, number];
  const count = Math.max(countA, countB);
  const out = backend.makeOutput([count, rows, columns], "float32");
  const { tfjs } = backend.wasm;
  const product = nativeProduct(backend);
  const [aShape, bShape] = [shapeBytes([1, rows, inner]), shapeBytes([1, inner, columns])];
  const [aStart, bStart, outStart] = [a, b, out].map(({ dataId }) =>
    backend.getMemoryOffset(dataId),
  ) as [number, number, number];
  const view = (id: number, size: number, entry: number): void => {
    tfjs.registerTensor(id, size, entry);
  };
  for (let i = 0; i < count; i++) {
    const [fromA, fromB] = [countA === 1 ? 0 : i, countB === 1 ? 0 : i];
    view(A_VIEW, rows * inner, aStart + 4 * fromA * rows * inner);
    view(B_VIEW, inner * columns, bStart + 4 * fromB * inner * columns);
    view(OUT_VIEW, rows * columns, outStart + 4 * i * rows * columns);
    product(A_VIEW, aShape, 3, B_VIEW, bShape, 3, 0, 0, OUT_VIEW);
    // Drops what XNNPACK has packed of b, too.
    for (const id of [A_VIEW, B_VIEW, OUT_VIEW]) tfjs.disposeData(id);
  }
  return out;
};
