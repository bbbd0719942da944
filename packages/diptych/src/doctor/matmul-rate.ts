/** The rate of one product of matrices through the public contract of a backend, and whether the product is right. */
import {
  BackendError,
  cast,
  createGraph,
  hostTensorFrom,
  hostValues,
  input,
  matmul,
  sliceAxis,
  type Backend,
  type DeviceTensor,
  type DType,
  type HostTensor,
  type Value,
} from "@diptych/core";

/** [rows, inner] × [inner, columns]. */
export interface ProductSize {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

export type FloatType = Extract<DType, "float32" | "float16" | "bfloat16">;

export interface MatmulRate {
  readonly dtype: FloatType;
  /** 10⁹ floating-point operations a second: 2·rows·inner·columns over the median time. */
  readonly gflops: number;
  readonly size: ProductSize;
  /** Timed products. */
  readonly products: number;
}

/** A layer of ViT-B on about a thousand tokens. */
const FULL_SIZE: ProductSize = Object.freeze({ rows: 1024, inner: 768, columns: 3072 });
/** For engines that would take longer than the budget, such as software renderers. */
const SMALL_SIZE: ProductSize = Object.freeze({ rows: 128, inner: 192, columns: 384 });

/** How far the checked entry may lie from the product: a sum of 768 terms of 16-bit factors, all positive. */
const TOLERANCE = 0.02;
/** Products in a row without a look at the result, so that a fence does not count in short ones. */
const SAMPLE_MS = 20;
const MOST_IN_A_ROW = 64;
const LEAST_SAMPLES = 3;

/**
 * Median rate within about `budgetMs`, after warm-up. 16-bit types are cast to and from float32 around the product, as
 * mixed precision does; the casts count.
 *
 * @throws BackendError on a wrong product; what the backend throws.
 */
export async function measureMatmulRate(
  backend: Backend,
  dtype: FloatType,
  { budgetMs = 1000 }: { readonly budgetMs?: number } = {},
): Promise<MatmulRate> {
  const small = await createProduct(backend, dtype, SMALL_SIZE);
  const estimate = await withDispose(small, async () => {
    await small.sample(1);
    const tries = [await small.sample(1), await small.sample(1), await small.sample(1)];
    const perProduct = Math.min(...tries);
    // Few samples of the full size must fit.
    const full = (perProduct * flops(FULL_SIZE)) / flops(SMALL_SIZE);
    return full * LEAST_SAMPLES <= budgetMs ? undefined : measure(small, budgetMs);
  });
  if (estimate) return { dtype, ...estimate };
  const full = await createProduct(backend, dtype, FULL_SIZE);
  return { dtype, ...(await withDispose(full, () => measure(full, budgetMs))) };
}

function flops({ rows, inner, columns }: ProductSize): number {
  return 2 * rows * inner * columns;
}

interface Product {
  readonly size: ProductSize;
  /** Milliseconds a product, of `count` in a row. */
  sample(count: number): Promise<number>;
  dispose(): Promise<void>;
}

async function withDispose<T>(product: Product, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await product.dispose();
  }
}

async function measure(product: Product, budgetMs: number): Promise<Omit<MatmulRate, "dtype">> {
  const begun = performance.now();
  const single = await product.sample(1);
  const count = Math.min(MOST_IN_A_ROW, Math.max(1, Math.ceil(SAMPLE_MS / single)));
  const samples: number[] = [];
  while (samples.length < LEAST_SAMPLES || performance.now() - begun < budgetMs / 2) {
    samples.push(await product.sample(count));
    if (performance.now() - begun > budgetMs) break;
  }
  const milliseconds = samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]!;
  return {
    gflops: flops(product.size) / milliseconds / 1e6,
    size: product.size,
    products: samples.length * count,
  };
}

async function createProduct(
  backend: Backend,
  dtype: FloatType,
  size: ProductSize,
): Promise<Product> {
  const { rows, inner, columns } = size;
  const host = { x: numbers([rows, inner]), w: numbers([inner, columns]) };
  const narrow = (value: Value): Value => (dtype === "float32" ? value : cast(value, dtype));
  const widen = (value: Value): Value => (dtype === "float32" ? value : cast(value, "float32"));
  const y = widen(matmul(narrow(input("x", [rows, inner])), narrow(input("w", [inner, columns]))));
  // Reading one entry waits for the whole product wherever runs only queue work.
  const entry = sliceAxis(sliceAxis(y, 0, 0, 1), 1, 0, 1);
  const executable = await backend.compile(createGraph("product", { y, entry }), {
    label: "product",
  });
  const tensors: DeviceTensor[] = [];
  const dispose = async (): Promise<void> => {
    for (const tensor of tensors) tensor.dispose();
    await executable.dispose();
  };
  try {
    const feeds = { x: await backend.upload(host.x), w: await backend.upload(host.w) };
    tensors.push(feeds.x, feeds.w);
    const into = await executable.run(feeds);
    tensors.push(...Object.values(into));
    checkEntry(await into["entry"]!.read(), host, size);
    return {
      size,
      dispose,
      sample: async (count) => {
        const begun = performance.now();
        for (let i = 0; i < count; i++) await executable.run(feeds, { into });
        await into["entry"]!.read();
        return (performance.now() - begun) / count;
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Numbers in (0, 1.01], no two rows alike. */
function numbers(shape: readonly [number, number]): HostTensor<"float32"> {
  const values = Float32Array.from(
    { length: shape[0] * shape[1] },
    (_, i) => ((i * 37) % 101) / 101 + 0.01,
  );
  return hostTensorFrom("float32", shape, values);
}

function checkEntry(
  got: HostTensor,
  { x, w }: Readonly<Record<"x" | "w", HostTensor<"float32">>>,
  { inner, columns }: ProductSize,
): void {
  let expected = 0;
  for (let i = 0; i < inner; i++) expected += x.data[i]! * w.data[i * columns]!;
  const [entry = NaN] = hostValues(got);
  if (Math.abs(entry - expected) <= TOLERANCE * expected) return;
  throw new BackendError(
    `diptych/doctor: product: expected its first entry near ${expected.toFixed(2)}, got ${entry}. What this engine computes is wrong: use another one.`,
  );
}
