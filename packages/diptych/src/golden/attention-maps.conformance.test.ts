// Attention maps by path name on ONNX Runtime against the reference, and what a graph costs that does not ask for them.
import { createOnnxBackend } from "@diptych/backend-onnx";
import {
  buildEncoders,
  createGraph,
  createMultiEncoder,
  createRandom,
  graphNodes,
  hostTensorFrom,
  hostValues,
  initialiseParameters,
  inputName,
  type Encoder,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { evaluateGraph } from "@diptych/core/reference";
import { createModifiedResNet } from "@diptych/encoders-resnet";
import { createVitEncoder } from "@diptych/encoders-vit";
import { createTextEncoder } from "@diptych/text-transformer";
import { expect, it } from "vitest";

const small = { width: 16, heads: 2, layers: 2 };
const vit = { ...small, imageSize: 32, patchSize: 8 };
const towers: Readonly<Record<string, () => Encoder>> = {
  ViT: () => createVitEncoder(vit, { embedDim: 8 }),
  "ViT pooled by attention": () =>
    createVitEncoder(
      { ...vit, pooling: "attention", attentionPool: { queries: 3, heads: 2 } },
      { embedDim: 8 },
    ),
  ModifiedResNet: () =>
    createModifiedResNet({ imageSize: 32, width: 4, layers: [1, 1, 1, 1] }, { embedDim: 8 }),
  "causal text transformer": () =>
    createTextEncoder({ ...small, vocab: 20, contextLength: 6 }, { embedDim: 8 }),
  "bidirectional text transformer": () =>
    createTextEncoder(
      { ...small, vocab: 20, contextLength: 6, attention: "bidirectional" },
      { embedDim: 8 },
    ),
};

it.each(Object.entries(towers))("%s", async (_, make) => {
  const encoder = make();
  const { modality } = encoder;
  const model = buildEncoders({
    ...createMultiEncoder({ encoders: { [modality]: encoder } }),
    mode: "eval",
  });
  const { pooled, intermediates } = model.encoded[modality]!;
  const maps = Object.entries(intermediates).filter(([name]) => name.endsWith("/attention"));
  expect(maps.length).toBeGreaterThan(0);
  const graph = createGraph("maps", { pooled, ...Object.fromEntries(maps) });
  const random = createRandom(4);
  const all: Record<string, HostTensor> = {
    ...Object.fromEntries(initialiseParameters(model.parameters, random)),
    image: hostTensorFrom(
      "float32",
      [2, 3, 32, 32],
      Float32Array.from({ length: 6144 }, () => random.normal()),
    ),
    text: hostTensorFrom("int32", [2, 6], [18, 3, 4, 19, 0, 0, 18, 7, 2, 5, 6, 19]),
  };
  const feeds = Object.fromEntries(
    graph.inputs.map(({ node }) => [inputName(node), all[inputName(node)]!]),
  );
  const expected = evaluateGraph(graph, feeds);
  const backend = await createOnnxBackend();
  const executable = await backend.compile(graph);
  const outputs = await executable.run(feeds);
  for (const [name] of maps) {
    const { data, shape } = expected[name]!;
    const found = hostValues(await outputs[name]!.read());
    const keys = shape.at(-1)!;
    data.forEach((value, i) => {
      expect(Math.abs(found[i]! - value), `${name} entry ${i}`).toBeLessThan(1e-5);
    });
    for (let row = 0; row < data.length; row += keys) {
      const total = data.slice(row, row + keys).reduce((sum, share) => sum + share, 0);
      expect(Math.abs(total - 1), `${name} row ${row / keys}`).toBeLessThan(1e-9);
    }
  }
  await executable.dispose();
  await backend.dispose();
});

it("computes no map that is not asked for", () => {
  const model = buildEncoders({
    ...createMultiEncoder({ encoders: { image: towers["ViT"]!() } }),
    mode: "eval",
  });
  const { pooled, intermediates } = model.encoded["image"]!;
  const ops = (value: Value): string[] =>
    graphNodes(createGraph("part", { value })).map(({ op }) => op);
  // The maps stand beside the attention that they explain: nothing of the features reads them.
  expect(ops(pooled)).not.toContain("exp");
  expect(ops(intermediates["image/block1/attention"]!)).toContain("exp");
});
