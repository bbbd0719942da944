import {
  buildEncoders,
  createHostTensor,
  createRandom,
  DataError,
  initialiseParameters,
  type HostTensor,
  type Tokenizer,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { afterAll, describe, expect, it } from "vitest";
import { createOpenClipModel } from "../open-clip-model.js";
import { createEncoderRuntime, type EncodeOptions, type ImageSource } from "./encoder-runtime.js";

const model = createOpenClipModel({
  embed_dim: 6,
  vision_cfg: { image_size: 4, patch_size: 2, width: 8, layers: 1, head_width: 4 },
  text_cfg: { context_length: 8, vocab_size: 20, width: 8, heads: 2, layers: 1 },
});
const parameters = initialiseParameters(
  buildEncoders({ ...model, mode: "eval" }).parameters,
  createRandom(3),
);
/** Words are numbers; 18 starts and 19 ends. */
const tokenizer = {
  name: "numbers",
  vocabSize: 20,
  contextLength: 8,
  special: { pad: 0, start: 18, end: 19 },
  encodeBatch: (texts: readonly string[]) => {
    const ids = new Int32Array(texts.length * 8);
    const lengths = Int32Array.from(texts, (text, row) => {
      const row_ = [18, ...text.split(" ").filter(Boolean).map(Number), 19];
      if (row_.length > 8) throw new DataError(`test: "${text}": too long.`);
      ids.set(row_, row * 8);
      return row_.length;
    });
    return { ids, lengths, batch: texts.length, contextLength: 8 };
  },
} as unknown as Tokenizer;

/** A picture is a path that names its brightness. */
const pixelsOf = (source: ImageSource): number[] =>
  Array.from({ length: 48 }, (_, i) => Math.sin(Number(source) + i));
const prepared: number[] = [];
const prepareImages = (sources: readonly ImageSource[]): Promise<HostTensor<"float32">> => {
  prepared.push(sources.length);
  if (sources.includes("bad")) return Promise.reject(new DataError("test: bad: no picture."));
  const data = Float32Array.from(sources.flatMap(pixelsOf));
  return Promise.resolve(createHostTensor("float32", [sources.length, 3, 4, 4], data));
};

const backend = createReferenceBackend();
const runtime = createEncoderRuntime({
  backend,
  model,
  parameters,
  tokenizer,
  prepareImages,
  batchSize: 2,
});
afterAll(async () => {
  await runtime.dispose();
  expect(backend.memory().tensors).toBe(0);
});

const rowsOf = ({ data, shape: [, width = 1] }: HostTensor): number[][] =>
  Array.from({ length: data.length / width }, (_, i) => [
    ...data.subarray(i * width, (i + 1) * width),
  ]);
const texts = ["1", "2 3 4 5 6", "", "7 8", "9 10 11"];

describe("the embedding runtime", () => {
  it("gives rows in the order of its inputs, whatever runs together", async () => {
    const together = rowsOf(await runtime.texts(texts));
    const alone: number[][] = [];
    for (const text of texts) alone.push(...rowsOf(await runtime.texts([text])));
    together.forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo(alone[i]?.[j] ?? NaN, 6)),
    );
    expect(new Set(together.map(String)).size).toBe(texts.length);
  });

  it("gives unit rows, or the tower's own", async () => {
    const length = (row: readonly number[] = []): number => Math.hypot(...row);
    const [unit] = rowsOf(await runtime.images(["1"]));
    const [raw] = rowsOf(await runtime.images(["1"], { normalize: false }));
    expect(length(unit)).toBeCloseTo(1, 6);
    expect(Math.abs(length(raw) - 1)).toBeGreaterThan(1e-3);
    unit?.forEach((value, i) => expect(value).toBeCloseTo((raw?.[i] ?? 0) / length(raw), 6));
  });

  it("takes prepared pixels and ids, and gives what files and texts give", async () => {
    const sources = ["1", "2", "3"];
    const pixels = Float32Array.from(sources.flatMap(pixelsOf));
    expect(await runtime.pixels(pixels)).toEqual(await runtime.images(sources));
    // Padding after the end may be anything.
    const { ids } = tokenizer.encodeBatch(texts);
    ids[3] = 19;
    expect(await runtime.tokens(ids)).toEqual(await runtime.texts(texts));
  });

  it("prepares the next batch while one runs, and no more", async () => {
    prepared.length = 0;
    const seen: [number, number, number][] = [];
    const onProgress: EncodeOptions["onProgress"] = (done, total) =>
      seen.push([done, total, prepared.length]);
    await runtime.images(["1", "2", "3", "4", "5", "6", "7"], { onProgress });
    expect(prepared).toEqual([2, 2, 2, 1]);
    expect(seen).toEqual([
      [2, 7, 2],
      [4, 7, 3],
      [6, 7, 4],
      [7, 7, 4],
    ]);
  });

  it("embeds nothing as nothing", async () => {
    for (const features of [
      await runtime.images([]),
      await runtime.texts([]),
      await runtime.pixels(new Float32Array(0)),
      await runtime.tokens(new Int32Array(0)),
    ])
      expect(features.shape).toEqual([0, 6]);
  });

  it("names what does not fit, and ends at the signal", async () => {
    await expect(runtime.images(["1", "2", "3", "bad"])).rejects.toThrow(/bad: no picture/);
    await expect(runtime.texts(["1 2 3 4 5 6 7"])).rejects.toThrow(/too long/);
    await expect(runtime.pixels(new Float32Array(50))).rejects.toThrow(
      /encodePixels: values: expected a multiple of 48 \(\[n, 3, 4, 4\]\), got 50/,
    );
    await expect(runtime.tokens(new Int32Array(9))).rejects.toThrow(/multiple of 8 .*got 9/);
    await expect(runtime.tokens(Int32Array.of(18, 1, 20, 19, 0, 0, 0, 0))).rejects.toThrow(
      /ids\[2\]: expected an id from 0 to 19, got 20/,
    );
    const { signal } = ((controller) => {
      controller.abort(new Error("enough"));
      return controller;
    })(new AbortController());
    await expect(runtime.images(["1"], { signal })).rejects.toThrow("enough");
    await expect(runtime.texts(["1"], { signal })).rejects.toThrow("enough");
  });
});
