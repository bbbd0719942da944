// Exported folders in @huggingface/transformers: the goldens' features and logits, tokens from text, the pipeline's classes.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import {
  buildEncoders,
  createGraph,
  createMultiEncoder,
  createRandom,
  hostTensorFrom,
  hostValues,
  initialiseParameters,
  inputName,
  type HostTensor,
  type MultiEncoder,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { resolveEvaluationSettings } from "@diptych/data";
import { createCompactResNet } from "@diptych/encoders-resnet";
import { createVitEncoder } from "@diptych/encoders-vit";
import {
  createBagOfWordsEncoder,
  createBpeTokenizer,
  createTextEncoder,
  type BpeTokenizer,
} from "@diptych/text-transformer";
import {
  AutoTokenizer,
  CLIPModel,
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  env,
  pipeline,
  RawImage,
  Tensor,
} from "@huggingface/transformers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModelGolden, goldenModels } from "../golden/models.golden.test-support.js";
import { imageFacts } from "../image-facts.js";
import { createOpenClipModel } from "../open-clip-model.js";
import {
  exportTransformersJs,
  type TransformersJsDtype,
  type TransformersJsSource,
} from "./export-transformers-js.js";

/** Largest difference from the largest entry, by what the files hold: float32's rounding, 16 bits, 8 bits. */
const DISTANCES = { fp32: 1e-5, fp16: 5e-3, int8: 0.1 } as const satisfies Partial<
  Record<TransformersJsDtype, number>
>;

type Output = Readonly<
  Record<string, { readonly data: unknown; readonly dims: readonly number[] }>
>;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diptych-export-"));
  env.allowRemoteModels = false;
  env.localModelPath = `${root}/`;
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Rows of a tensor as transformers.js takes it; ids as int64. */
function rowsOf(tensor: HostTensor, begin: number, count: number, width?: number): Tensor {
  const [, ...sizes] = tensor.shape;
  const size = sizes.reduce((product, each) => product * each, 1);
  const values = hostValues(tensor).subarray(begin * size, (begin + count) * size);
  if (sizes.length > 1) return new Tensor("float32", Float32Array.from(values), [count, ...sizes]);
  const kept = width ?? size;
  const ids = Array.from(values, BigInt).filter((_, i) => i % size < kept);
  return new Tensor("int64", BigInt64Array.from(ids), [count, kept]);
}

function distance(got: unknown, expected: ArrayLike<number>): number {
  const values = got as ArrayLike<number>;
  expect(values.length).toBe(expected.length);
  const wanted = Array.from(expected);
  const largest = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, i) => Math.abs(value - (values[i] ?? NaN)))) / largest;
}

function sliceRows(tensor: HostTensor, begin: number, count: number): Float64Array {
  const size = tensor.data.length / (tensor.shape[0] ?? 1);
  return hostValues(tensor).slice(begin * size, (begin + count) * size);
}

const tokenizer = createBpeTokenizer({ contextLength: 16, truncate: "cut", keep: [] });

describe.each(goldenModels())("the golden %s", (name) => {
  let golden: ReadonlyMap<string, HostTensor>;
  const dtypes = Object.keys(DISTANCES) as (keyof typeof DISTANCES)[];

  beforeAll(async () => {
    const loaded = await loadModelGolden(name);
    ({ golden } = loaded);
    const model = createOpenClipModel(loaded.config);
    const pictures = resolveEvaluationSettings(imageFacts(model));
    const source = { model, parameters: loaded.weights, tokenizer, pictures };
    await exportTransformersJs(source, join(root, name), { dtypes });
  });

  test.each(dtypes)("towers in %s give open_clip's features for 1 and 3 rows", async (dtype) => {
    const vision = await CLIPVisionModelWithProjection.from_pretrained(name, { dtype });
    const text = await CLIPTextModelWithProjection.from_pretrained(name, { dtype });
    for (const [begin, count] of [
      [0, 3],
      [4, 1],
    ] as const) {
      const { image_embeds: images } = (await vision({
        pixel_values: rowsOf(golden.get("image")!, begin, count),
      })) as Output;
      const { text_embeds: texts } = (await text({
        input_ids: rowsOf(golden.get("text")!, begin, count),
      })) as Output;
      expect(images!.dims).toEqual([count, golden.get("image_features")!.shape[1]]);
      for (const [got, key] of [
        [images, "image_features"],
        [texts, "text_features"],
      ] as const) {
        const off = distance(got!.data, sliceRows(golden.get(key)!, begin, count));
        expect(off, key).toBeLessThanOrEqual(DISTANCES[dtype]);
      }
    }
    await Promise.all([vision.dispose(), text.dispose()]);
  });

  test.each(dtypes)("the whole model in %s gives open_clip's logits", async (dtype) => {
    const clip = await CLIPModel.from_pretrained(name, { dtype });
    const images = golden.get("image")!;
    // More texts than pictures: the two batches are apart.
    const output = (await clip({
      pixel_values: rowsOf(images, 0, 2),
      input_ids: rowsOf(golden.get("text")!, 0, 6),
    })) as Output;
    const logits = golden.get("logits_per_image")!;
    const perImage = Array.from(output["logits_per_image"]!.data as Float32Array);
    const perText = Array.from(output["logits_per_text"]!.data as Float32Array);
    expect(output["logits_per_image"]!.dims).toEqual([2, 6]);
    expect(output["logits_per_text"]!.dims).toEqual([6, 2]);
    expect(distance(perImage, sliceRows(logits, 0, 2))).toBeLessThanOrEqual(DISTANCES[dtype]);
    const transposed = Array.from(
      { length: 12 },
      (_, i) => perText[(i % 6) * 2 + Math.floor(i / 6)]!,
    );
    expect(distance(perImage, transposed)).toBeLessThanOrEqual(1e-6);
    for (const key of ["image", "text"]) {
      const expected = golden.get(`${key}_features_normalized`)!;
      const rows = key === "image" ? 2 : 6;
      const off = distance(output[`${key}_embeds`]!.data, sliceRows(expected, 0, rows));
      expect(off, key).toBeLessThanOrEqual(DISTANCES[dtype]);
    }
    await clip.dispose();
  });

  test("fewer bytes for fewer bits", async () => {
    const sizes = await Promise.all(
      ["", "_fp16", "_int8"].map(async (suffix) => {
        const file = await readFile(join(root, name, "onnx", `text_model${suffix}.onnx`));
        return file.length;
      }),
    );
    expect(sizes[1]! / sizes[0]!).toBeLessThan(0.75);
    expect(sizes[2]!).toBeLessThan(sizes[1]!);
  });
});

const TEXTS = [
  "a cat",
  "a photo of a rather long sentence about dogs, and cats",
  "a photo of a dog",
];

/** A small model over CLIP's vocabulary as far as `TEXTS` use it, with weights that are not tiny. */
function createSmallSource(kind: "resnet" | "vit"): TransformersJsSource {
  const full = createBpeTokenizer({ contextLength: 24 });
  const keep = [
    ...new Set([...TEXTS, "This is a photo of {}"].flatMap((text) => full.encode(text))),
  ];
  const small = createBpeTokenizer({ contextLength: 24, truncate: "cut", keep });
  const dependencies = { embedDim: 32, tokenizer: small };
  const model =
    kind === "resnet"
      ? createMultiEncoder({
          encoders: {
            image: createCompactResNet(
              { imageSize: 32, stemWidth: 8, widths: [16, 32] },
              dependencies,
            ),
            text: createBagOfWordsEncoder({ width: 48 }, dependencies),
          },
        })
      : createMultiEncoder({
          encoders: {
            image: createVitEncoder(
              { imageSize: 32, patchSize: 8, width: 48, layers: 2, heads: 4 },
              dependencies,
            ),
            text: createTextEncoder(
              { width: 48, layers: 2, heads: 4, attention: "bidirectional", pooling: "mean" },
              dependencies,
            ),
          },
          logitBias: -2,
        });
  const specs = buildEncoders({ ...model, mode: "eval" }).parameters;
  const random = createRandom(11);
  const parameters = new Map(
    [...initialiseParameters(specs, random)].map(([name, tensor]) => {
      if (name.includes("running_var") || name === "logit_scale" || name === "logit_bias")
        return [name, tensor] as const;
      const stream = random.split(name);
      const data = Float32Array.from(tensor.data, (value) => value + 0.1 * stream.normal());
      return [name, hostTensorFrom("float32", tensor.shape, data)] as const;
    }),
  );
  const pictures = resolveEvaluationSettings({
    ...imageFacts(model),
    resizeMode: kind === "vit" ? "squash" : "shortest",
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  });
  return { model, parameters, tokenizer: small, pictures };
}

/** Features on the reference backend, of rows padded as the tokenizer pads. */
async function referenceFeatures(
  { model, parameters }: { model: MultiEncoder; parameters: ReadonlyMap<string, HostTensor> },
  modality: string,
  rows: HostTensor,
): Promise<Float64Array> {
  const built = buildEncoders({ ...model, mode: "eval", modalities: [modality] });
  const graph = createGraph(modality, { y: built.encoded[modality]!.pooled });
  const executable = await createReferenceBackend().compile(graph, { constants: parameters });
  expect(executable.inputNames).toEqual(
    graph.inputs.map(({ node }) => inputName(node)).filter((key) => key === modality),
  );
  const { y } = await executable.run({ [modality]: rows });
  return hostValues(await y!.read());
}

describe.each(["resnet", "vit"] as const)("a small %s", (kind) => {
  let source: TransformersJsSource;
  beforeAll(async () => {
    source = createSmallSource(kind);
    // A limit of 0: every weight in a file of its own.
    await exportTransformersJs(source, join(root, kind), { externalDataAbove: 0 });
  });

  test.each([[TEXTS], [TEXTS.slice(0, 1)]])(
    "texts become the same ids and features: %j",
    async (texts) => {
      const loaded = await AutoTokenizer.from_pretrained(kind);
      const model = await CLIPTextModelWithProjection.from_pretrained(kind, { dtype: "fp32" });
      const inputs = loaded([...texts], { padding: true, truncation: true });
      const { ids, contextLength } = source.tokenizer.encodeBatch(texts);
      const longest = inputs.input_ids.dims[1]!;
      expect(longest).toBe(Math.max(...texts.map((text) => source.tokenizer.encode(text).length)));
      const cut = Array.from(ids).filter((_, i) => i % contextLength < longest);
      expect(Array.from(inputs.input_ids.data as BigInt64Array, Number)).toEqual(cut);
      const { text_embeds: got } = (await model(inputs)) as Output;
      const rows = hostTensorFrom("int32", [texts.length, longest], cut);
      const expected = await referenceFeatures(source, "text", rows);
      expect(distance(got!.data, expected)).toBeLessThanOrEqual(1e-5);
      await model.dispose();
    },
  );

  test("pictures become the same features, of any size through the pipeline", async () => {
    const random = createRandom(3);
    const side = 32;
    const data = Uint8ClampedArray.from({ length: 3 * side * side }, () => random.integer(256));
    const picture = new RawImage(data, side, side, 3);
    const extract = await pipeline("image-feature-extraction", kind, { dtype: "fp32" });
    const got = await extract(picture);
    const planes = Float32Array.from(
      { length: 3 * side * side },
      (_, i) => data[(i % (side * side)) * 3 + Math.floor(i / (side * side))]! / 127.5 - 1,
    );
    const rows = hostTensorFrom("float32", [1, 3, side, side], planes);
    const expected = await referenceFeatures(source, "image", rows);
    expect(distance(got.data, expected)).toBeLessThanOrEqual(1e-5);
    const classify = await pipeline("zero-shot-image-classification", kind, { dtype: "fp32" });
    const classes = (await classify(picture, ["cat", "rather long sentence about dogs"])) as {
      score: number;
    }[];
    expect(classes.map(({ score }) => score).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    await Promise.all([extract.dispose(), classify.dispose()]);
  });
});

test("refuses before anything is written what transformers.js has no words for", async () => {
  const source = createSmallSource("vit");
  const folder = join(root, "refused");
  const fixed = createTextEncoder(
    { width: 48, layers: 1, heads: 4, pooling: "last" },
    { embedDim: 32, tokenizer: source.tokenizer },
  );
  const { encoders } = source.model;
  const { originalIds: _, ...otherTokenizer } = source.tokenizer as BpeTokenizer;
  const withTowers = (towers: object): TransformersJsSource => ({
    ...source,
    model: { ...source.model, encoders: { ...encoders, ...towers } },
  });
  const cases: readonly (readonly [TransformersJsSource, RegExp])[] = [
    [
      { ...source, pictures: resolveEvaluationSettings({ imageHeight: 32, imageWidth: 16 }) },
      /"shortest" to 32 × 16/,
    ],
    [withTowers({ text: fixed }), /texts of any length/],
    [
      {
        ...source,
        tokenizer: otherTokenizer,
      },
      /byte-pair/,
    ],
  ];
  for (const [refused, message] of cases)
    await expect(exportTransformersJs(refused, folder)).rejects.toThrow(message);
  await expect(exportTransformersJs(source, folder, { dtypes: [] })).rejects.toThrow(
    /at least one/,
  );
  expect(await readdir(dirname(folder))).not.toContain(basename(folder));
});
