import {
  buildEncoders,
  createRandom,
  hostValues,
  initialiseParameters,
  type Backend,
  type HostTensor,
  type Image,
  type Tokenizer,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveEvaluationSettings } from "@diptych/data";
import { imageFacts } from "../image-facts.js";
import { createModelRuntime, type RunnableModel } from "../model-runtime.js";
import { createOpenClipModel } from "../open-clip-model.js";
import { createInspector, type Inspector } from "./inspector.js";
import { RELEVANCE_METHODS } from "./relevance.js";

const TEXT = { context_length: 8, vocab_size: 20, width: 8, heads: 2, layers: 2 };

function loaded(vision: Record<string, unknown>): RunnableModel {
  const model = createOpenClipModel({ embed_dim: 6, vision_cfg: vision, text_cfg: TEXT });
  const specs = buildEncoders({ ...model, mode: "eval" }).parameters;
  const parameters = new Map<string, HostTensor>(initialiseParameters(specs, createRandom(3)));
  // Zero gammas of the residual branches would leave nothing to look at.
  for (const [name, { data }] of parameters) {
    if (!/bn3\.weight/.test(name)) continue;
    for (let i = 0; i < data.length; i++) data[i] = 0.5 + (i % 7) / 7;
  }
  const pictures = resolveEvaluationSettings(imageFacts(model));
  return { model, parameters, tokenizer, pictures };
}

/** Words are numbers; 18 starts and 19 ends. */
const tokenizer = {
  name: "numbers",
  vocabSize: 20,
  contextLength: 8,
  special: { pad: 0, start: 18, end: 19 },
  encodeBatch: (texts: readonly string[]) => {
    const ids = new Int32Array(texts.length * 8);
    const lengths = Int32Array.from(texts, (text, row) => {
      const words = [18, ...text.split(" ").map(Number), 19];
      ids.set(words, row * 8);
      return words.length;
    });
    return { ids, lengths, batch: texts.length, contextLength: 8 };
  },
} as unknown as Tokenizer;

function picture(width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3).map((_, i) => 128 + 127 * Math.sin(i * 0.7));
  return { width, height, channels: 3, data };
}

const MODELS = {
  vit: loaded({ image_size: 8, patch_size: 2, width: 8, layers: 3, head_width: 4 }),
  resnet: loaded({ image_size: 64, layers: [1, 1, 1, 1], width: 4, head_width: 32 }),
};

describe.each(Object.entries(MODELS))("an inspector of a %s", (name, model) => {
  let onnx: Backend;
  const reference = createReferenceBackend();
  let inspectors: { onnx: Inspector; reference: Inspector };
  beforeAll(async () => {
    onnx = await createOnnxBackend({ threads: 1 });
    inspectors = {
      onnx: createInspector(model, onnx),
      reference: createInspector(model, reference),
    };
  });
  afterAll(async () => {
    await inspectors.onnx.dispose();
    await inspectors.reference.dispose();
    expect(onnx.memory().tensors).toBe(0);
    expect(reference.memory().tensors).toBe(0);
    await onnx.dispose();
  });
  const image = picture(70, 66);

  it.each(RELEVANCE_METHODS)("gives the float64 reference's relevance by %s", async (method) => {
    const texts = ["1 2 3", "4", "5 6"];
    for (const block of name === "vit" && method !== "grad-cam" ? [undefined, 0] : [undefined]) {
      const options = { method, ...(block === undefined ? {} : { block }) };
      const ours = await inspectors.onnx.relevance(image, texts, options);
      const exact = await inspectors.reference.relevance(image, texts, options);
      ours.forEach(({ map, similarity, path }, i) => {
        expect(similarity).toBeCloseTo(exact[i]!.similarity, 5);
        expect(path).toBe(exact[i]!.path);
        const want = hostValues(exact[i]!.map);
        const largest = Math.max(...want);
        hostValues(map).forEach((value, place) =>
          expect(Math.abs(value - want[place]!)).toBeLessThanOrEqual(1e-4 * largest),
        );
      });
      // A map of zeros would agree with anything.
      expect(exact.some(({ map }) => Math.max(...map.data) > 0)).toBe(true);
    }
  });

  it("gives similarities that are the cosines of the embeddings", async () => {
    const runtime = createModelRuntime(model, onnx);
    const [one, two] = [await runtime.images([image]), await runtime.texts(["4", "5 6"])];
    const found = await inspectors.onnx.relevance(image, ["4", "5 6"]);
    found.forEach(({ similarity }, row) => {
      let cosine = 0;
      for (let i = 0; i < 6; i++) cosine += one.data[i]! * two.data[row * 6 + i]!;
      expect(similarity).toBeCloseTo(cosine, 5);
    });
    await runtime.dispose();
  });

  it("reads every inner value under the shape that it tells", async () => {
    const paths = inspectors.onnx.paths("image");
    const values = await inspectors.onnx.intermediates(
      [image, picture(64, 64)],
      paths.map(({ path }) => path),
    );
    for (const { path, shape } of paths)
      expect(values[path]?.shape).toEqual([2, ...shape.slice(1)]);
    const attention = paths.filter(({ path }) => path.endsWith("/attention"));
    expect(attention.length).toBe(name === "vit" ? 3 : 1);
    for (const { path } of attention) {
      const { data, shape } = values[path]!;
      const keys = shape[3]!;
      for (let row = 0; row < data.length / keys; row++) {
        const total = data.subarray(row * keys, (row + 1) * keys);
        expect([...total].reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      }
    }
  });

  it("says what there is where a name or block is unknown", async () => {
    await expect(inspectors.onnx.intermediates([image], ["image/blok1"])).rejects.toThrow(
      name === "vit" ? /image\/block1/ : /image\/layer4/,
    );
    await expect(
      inspectors.onnx.relevance(image, ["1"], { method: "gradient", block: 40 }),
    ).rejects.toThrow(/expected one of 0 \(image\//);
    expect(() => inspectors.onnx.paths("audio")).toThrow(/audio: expected .* got image, text/);
  });
});

it("reads the causal attention of texts: no word sees those after it", async () => {
  const backend = createReferenceBackend();
  const inspector = createInspector(MODELS.vit, backend);
  const path = "text/block1/attention";
  const { [path]: attention } = await inspector.textIntermediates(["1 2", "3"], [path]);
  expect(attention?.shape).toEqual([2, 2, 8, 8]);
  attention?.data.forEach((value, i) => {
    const [query, key] = [Math.floor(i / 8) % 8, i % 8];
    if (key > query) expect(value).toBe(0);
  });
  await inspector.dispose();
});

it("refuses features that only a class token reads, and says what to do", async () => {
  const backend = createReferenceBackend();
  const inspector = createInspector(MODELS.vit, backend);
  await expect(
    inspector.relevance(picture(8, 8), ["1"], { method: "gradient", block: -1 }),
  ).rejects.toThrow(/class token alone.*earlier block/);
  const [found] = await inspector.relevance(picture(8, 8), ["1"], { method: "gradient" });
  expect(found?.path).toBe("image/block1");
  await inspector.dispose();
});
