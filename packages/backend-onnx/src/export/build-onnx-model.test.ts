// Models for other tools: standard operators only, and what the reference computes, in each precision.
import {
  add,
  attention,
  createGraph,
  createRandom,
  gelu,
  hostTensorFrom,
  hostValues,
  input,
  layerNorm,
  matmul,
  mul,
  parameter,
  quickGelu,
  reshape,
  symbolDim,
  take,
  conv2d,
  mean,
  type Graph,
  type HostTensor,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { readFile, mkdtemp, rm, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterEach, describe, expect, it } from "vitest";
import { buildOnnxModel, type OnnxModelOptions } from "./build-onnx-model.js";
import { exportOnnxModel } from "./export-onnx-model.js";
import { encodeModel } from "../model-proto/encode-model.js";

const [WIDTH, VOCAB, HEADS] = [64, 60, 4];
const [texts, tokens, images] = ["texts", "tokens", "images"].map(symbolDim) as [
  ReturnType<typeof symbolDim>,
  ReturnType<typeof symbolDim>,
  ReturnType<typeof symbolDim>,
];

/** Causal attention over looked-up ids, both activations of CLIP, a convolution with a norm as ResNets have. */
function towers(): Graph {
  const ids = input("text", [texts, tokens], "int32");
  const looked = take(parameter("table", [VOCAB, WIDTH]), ids, 0);
  const normed = layerNorm(looked, parameter("ln.scale", [WIDTH]), parameter("ln.bias", [WIDTH]));
  const heads = reshape(normed.output, [texts, 1, tokens, WIDTH]);
  const attended = reshape(attention(heads, heads, heads, { causal: true }).output, [
    texts,
    tokens,
    WIDTH,
  ]);
  const rows = mean(attended, { axes: [1] });
  const hidden = add(
    matmul(rows, parameter("fc", [HEADS * WIDTH, WIDTH]), { transposeB: true }),
    parameter("fc.bias", [HEADS * WIDTH]),
  );
  const image = input("image", [images, 3, 8, 8]);
  const filtered = conv2d(image, parameter("filter", [32, 3, 5, 5]), { padding: [2, 2, 2, 2] });
  const scaled = mul(filtered, reshape(parameter("bn.weight", [32]), [32, 1, 1]));
  return createGraph("towers", {
    text_embeds: matmul(quickGelu(hidden), parameter("proj", [HEADS * WIDTH, WIDTH])),
    image_embeds: mean(gelu(scaled), { axes: [2, 3] }),
  });
}

function valuesFor(graph: Graph): Map<string, HostTensor> {
  const random = createRandom(2);
  return new Map(
    graph.inputs
      .filter(({ node }) => node.op === "parameter")
      .map(({ node }) => {
        const name = node.attrs["name"] as string;
        const shape = node.outputs[0]!.shape as number[];
        const stream = random.split(name);
        const size = shape.reduce((count, dim) => count * dim, 1);
        const scale = shape.length > 1 ? shape.at(-1)! ** -0.5 : 1;
        const data = Float32Array.from({ length: size }, () => scale * stream.normal());
        return [name, hostTensorFrom("float32", shape, data)] as const;
      }),
  );
}

const NAMES: Omit<OnnxModelOptions, "parameters"> = {
  inputNames: { text: "input_ids", image: "pixel_values" },
  int64Inputs: ["text"],
  sizeNames: { texts: "text_batch", tokens: "sequence", images: "image_batch" },
};
/**
 * Of the largest entry. In 7 bits a weight is off by up to 1/126 of its column's largest, so a sum by 1 to 2 % of its own
 * spread; here two follow each other.
 */
const PRECISIONS = { float32: 2e-6, float16: 3e-3, int8: 6e-2 } as const;

/** Operators of the standard set at version 18 that the towers may need. */
const STANDARD = new Set(
  "Add And Cast Concat Conv Div DynamicQuantizeLinear Equal Erf Expand Exp Gather Gemm Identity LayerNormalization LessOrEqual Log MatMul MatMulInteger Max Mul Neg Range ReduceMax ReduceMean ReduceSum Reshape Shape Sigmoid Slice Softmax Sqrt Sub Transpose Unsqueeze Where".split(
    " ",
  ),
);

function feedsOf(
  batch: number,
  length: number,
): { ids: HostTensor; pixels: HostTensor<"float32"> } {
  const random = createRandom(batch);
  return {
    ids: hostTensorFrom(
      "int32",
      [batch, length],
      Array.from({ length: batch * length }, () => random.integer(VOCAB)),
    ),
    pixels: hostTensorFrom(
      "float32",
      [batch + 1, 3, 8, 8],
      Float32Array.from({ length: (batch + 1) * 192 }, () => random.normal()),
    ),
  };
}

function distance(a: ArrayLike<number>, b: Float64Array): number {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return b.reduce((most, value, i) => Math.max(most, Math.abs(value - (a[i] ?? NaN))), 0) / largest;
}

async function expectSame(session: ort.InferenceSession, limit: number): Promise<void> {
  const graph = towers();
  const executable = await createReferenceBackend().compile(graph, { constants: valuesFor(graph) });
  for (const [batch, length] of [
    [1, 3],
    [3, 9],
  ] as const) {
    const { ids, pixels } = feedsOf(batch, length);
    const got = await session.run({
      input_ids: new ort.Tensor("int64", BigInt64Array.from(ids.data as Int32Array, BigInt), [
        batch,
        length,
      ]),
      pixel_values: new ort.Tensor("float32", pixels.data, pixels.shape),
    });
    const expected = await executable.run({ text: ids, image: pixels });
    for (const [name, tensor] of Object.entries(expected)) {
      const off = distance(got[name]!.data as Float32Array, hostValues(await tensor.read()));
      expect(off, `${name} [${batch}, ${length}]`).toBeLessThanOrEqual(limit);
    }
  }
}

const precisions = Object.keys(PRECISIONS) as (keyof typeof PRECISIONS)[];
describe.each(precisions)("a model in %s", (precision) => {
  const graph = towers();
  const model = buildOnnxModel(graph, { ...NAMES, parameters: valuesFor(graph), precision });

  it("is made of standard operators of opset 18", () => {
    expect(model.opset).toBe(18);
    const others = model.graph.nodes.filter(({ op, domain }) => domain !== "" || !STANDARD.has(op));
    expect(others.map(({ op, domain }) => `${domain}.${op}`)).toEqual([]);
    expect(model.graph.nodes.map(({ op }) => op)).toContain(
      precision === "int8" ? "MatMulInteger" : "MatMul",
    );
  });

  it("has the names, types and open sizes that were asked for", () => {
    expect(model.graph.inputs).toEqual([
      { name: "input_ids", dtype: "int64", shape: ["text_batch", "sequence"] },
      { name: "pixel_values", dtype: "float32", shape: ["image_batch", 3, 8, 8] },
    ]);
    expect(model.graph.outputs).toEqual([
      { name: "text_embeds", dtype: "float32", shape: ["text_batch", WIDTH] },
      { name: "image_embeds", dtype: "float32", shape: ["image_batch", 32] },
    ]);
  });

  it("keeps no large float32 weight in fewer bits", () => {
    const large = model.graph.initializers.filter(
      ({ shape }) => shape.reduce((count, size) => count * size, 1) >= 2048,
    );
    expect(large.length).toBeGreaterThanOrEqual(3);
    expect([...new Set(large.map(({ dtype }) => dtype))]).toEqual([precision]);
  });

  it("computes what the reference computes, for every batch and length", async () => {
    const session = await ort.InferenceSession.create(encodeModel(model));
    await expectSame(session, PRECISIONS[precision]);
    await session.release();
  });
});

describe("a file", () => {
  let folder: string | undefined;
  afterEach(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it("has its weights beside it where they are large", async () => {
    folder = await mkdtemp(join(tmpdir(), "diptych-onnx-"));
    const graph = towers();
    const path = join(folder, "m.onnx");
    const parameters = valuesFor(graph);
    const written = await exportOnnxModel(graph, path, {
      ...NAMES,
      parameters,
      externalDataAbove: 1000,
    });
    expect(written).toEqual({ path, dataPath: `${path}_data` });
    expect(await readdir(folder)).toEqual(["m.onnx", "m.onnx_data"]);
    const model = await readFile(path);
    expect(model.length).toBeLessThan(20_000);
    const session = await ort.InferenceSession.create(path);
    await expectSame(session, PRECISIONS.float32);
    await session.release();
    expect(await exportOnnxModel(graph, path, { ...NAMES, parameters })).toEqual({ path });
  });

  it("is not begun without every parameter, or with one that 16 bits cannot hold", async () => {
    folder = await mkdtemp(join(tmpdir(), "diptych-onnx-"));
    const graph = towers();
    const path = join(folder, "m.onnx");
    const parameters = valuesFor(graph);
    parameters.delete("proj");
    await expect(exportOnnxModel(graph, path, { parameters })).rejects.toThrow(
      /got none for "proj"/,
    );
    const huge = Float32Array.from({ length: 4 * WIDTH * WIDTH }, (_, i) => (i === 7 ? 1e5 : 0));
    parameters.set("proj", hostTensorFrom("float32", [4 * WIDTH, WIDTH], huge));
    await expect(
      exportOnnxModel(graph, path, { parameters, precision: "float16" }),
    ).rejects.toThrow(/within ±65504/);
    expect(await readdir(folder)).toEqual([]);
  });
});
