// The machine's own rate: ONNX Runtime's product of [3200, 768] and [768, 3072], a layer of ViT-B on 3,200 tokens.
import { createGraph, hostTensorFrom, input, matmul } from "@diptych/core";
import { median } from "./statistics.mjs";

const [rows, inner, columns] = [3200, 768, 3072];

/** Floating-point operations of one product. */
export const matmulFlops = 2 * rows * inner * columns;

/** `milliseconds(times)`: the median time of a few products, everything resident. */
export async function createMatmulRate(backend) {
  const graph = createGraph("product", {
    y: matmul(input("x", [rows, inner]), input("w", [inner, columns])),
  });
  const executable = await backend.compile(graph);
  const feeds = {
    x: await backend.upload(numbers([rows, inner])),
    w: await backend.upload(numbers([inner, columns])),
  };
  const into = await executable.run(feeds);
  return {
    async milliseconds(times = 3) {
      const taken = [];
      for (let i = 0; i < times; i += 1) {
        const start = performance.now();
        await executable.run(feeds, { into });
        taken.push(performance.now() - start);
      }
      return median(taken);
    },
    async dispose() {
      for (const tensor of [...Object.values(feeds), ...Object.values(into)]) tensor.dispose();
      await executable.dispose();
    },
  };
}

/**
 * Runs `work` in turns with the product. Of each turn: its time, and its floating-point operations a second as a share
 * of the product's, before and after it.
 */
export async function measureShare(rate, { work, flops, turns, products = 3 }) {
  const milliseconds = [];
  const share = [];
  const product = [await rate.milliseconds(products)];
  for (let turn = 0; turn < turns; turn += 1) {
    const start = performance.now();
    await work();
    const taken = performance.now() - start;
    product.push(await rate.milliseconds(products));
    milliseconds.push(taken);
    const around = (product[turn] + product[turn + 1]) / 2;
    share.push(flops / taken / (matmulFlops / around));
  }
  return { milliseconds, share, product };
}

function numbers(shape) {
  const size = shape.reduce((count, dim) => count * dim, 1);
  const values = Float32Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 101 + 0.01);
  return hostTensorFrom("float32", shape, values);
}
