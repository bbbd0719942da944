/** A student taught by a model folder: what it is fed, how it trains and resumes, and what goes wrong. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom, type HostTensor, type Sample } from "@diptych/core";
import { Run } from "@diptych/core/plugin";
import type { Batch } from "@diptych/data";
import { readJsonlLog } from "@diptych/training";
import { expectClose } from "@diptych/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BACKEND, createComponents, DATASET, TEACHERS, TOKENIZER } from "../components.js";
import { convertModel } from "../convert-model.js";
import { inspectConfig } from "../inspect.js";
import { writeFakeConfig, type FakeConfig } from "../isolated/fake-config.test-support.js";
import { loadClip } from "../load-clip.js";
import { openConfigFile, type OpenedConfig } from "../load-config.js";
import { measureStepFlops } from "../measure-step.js";
import { readModel } from "../read-model.js";
import { buildStep, createRunLoader } from "../run-step.js";
import { writeTinyModel } from "../tiny-model.test-support.js";
import { train, type TrainSummary } from "../train.js";
import { weightsFingerprint } from "../fingerprint.js";

const STEPS = 12;
const FEATURES = {
  image: "teacher.teacher/model.image",
  text: "teacher.teacher/model.text",
};

/** Relative paths start at the configuration's folder, which is not the process's. */
const distil = (options: object = {}): string =>
  `loss=${JSON.stringify({ type: "distillation", teacher: "teacher/model", ...options })}`;

let fake: FakeConfig;
let teacher: string;
beforeAll(async () => {
  fake = await writeFakeConfig({ type: "onnx", threads: 1 });
  teacher = join(fake.folder, "teacher/model");
  await writeTinyModel(teacher);
});
afterAll(() => rm(fake.folder, { recursive: true, force: true }));

const open = (...set: string[]): Promise<OpenedConfig> => openConfigFile(fake.file, { set });

/** Runs `work` with the components of a configuration. */
async function withComponents<T>(opened: OpenedConfig, work: (run: Run) => Promise<T>): Promise<T> {
  const run = new Run();
  try {
    await createComponents({ opened, run, on: () => undefined });
    return await work(run);
  } finally {
    await run.dispose();
  }
}

async function batchesOf(opened: OpenedConfig, run: Run, count: number): Promise<Batch[]> {
  const loader = createRunLoader(opened.config, run, () => undefined);
  const found: Batch[] = [];
  for await (const batch of loader.batches({ startStep: 0 })) {
    const feeds = Object.entries(batch.feeds).map(([name, tensor]) => [
      name,
      { ...tensor, data: tensor.data.slice() },
    ]);
    found.push({ ...batch, feeds: Object.fromEntries(feeds) as Batch["feeds"] });
    if (found.length === count) break;
  }
  return found;
}

const rowOf = ({ data, shape }: HostTensor, row: number): number[] =>
  Array.from(data.subarray(row * shape[1]!, (row + 1) * shape[1]!), Number);

describe("what a student is fed", () => {
  it("is the teacher's own embedding of each row's picture and caption", async () => {
    const opened = await open(
      distil(),
      "data.imagesPerSample=2",
      "data.captionsPerSample=2",
      "data.extraCaptions=3",
    );
    await withComponents(opened, async (run) => {
      const dataset = run.get(DATASET);
      if (dataset.kind !== "sized") throw new Error("the fake set is sized");
      const request = { random: createRandom(0) };
      const samples: Sample[] = [];
      for (let i = 0; i < dataset.size; i++) samples.push(await dataset.sample(i, request));
      const captions = samples.map((sample) => sample.captions[0]!);
      const clip = await loadClip(teacher, { backend: run.get(BACKEND) });
      const pictures = await clip.encodeImages(samples.map((sample) => sample.images[0]!));
      const texts = await clip.encodeTexts(captions);
      const batches = await batchesOf(opened, run, 5);
      const seen = new Set<number>();
      for (const { feeds } of batches) {
        const [image, text] = [feeds[FEATURES.image]!, feeds[FEATURES.text]!];
        expect([image.shape, text.shape]).toEqual([
          [8, 8],
          [14, 8],
        ]);
        const ids = feeds["text"]!;
        const samplesOfRows = Array.from({ length: 14 }, (_, row) =>
          captions.indexOf(run.get(TOKENIZER).decode(rowOf(ids, row))),
        );
        for (const [row, sample] of samplesOfRows.entries()) {
          seen.add(sample);
          expectClose(rowOf(text, row), rowOf(texts, sample), { relativeToLargest: 1e-5 });
        }
        for (let row = 0; row < 8; row++)
          expectClose(rowOf(image, row), rowOf(pictures, samplesOfRows[row]!), {
            relativeToLargest: 1e-5,
          });
        expect(feeds["teacher.teacher/model.scale"]!.data[0]).toBeCloseTo(clip.logitScale, 4);
        expect(Object.keys(feeds).filter((name) => /pixels|ids/.test(name))).toEqual([]);
      }
      expect(seen).toEqual(new Set(samples.keys()));
      await clip.dispose();
    });
  });

  it("is the same from a public format of the model, by path", async () => {
    await convertModel(teacher, join(fake.folder, "public"), { format: "open-clip" });
    const fed = async (model: string): Promise<Batch["feeds"]> => {
      const opened = await open(distil({ teacher: model }));
      return withComponents(opened, async (run) => (await batchesOf(opened, run, 1))[0]!.feeds);
    };
    const [own, converted] = [await fed("teacher/model"), await fed("./public")];
    for (const what of ["image", "text", "scale"]) {
      const values = Array.from(converted[`teacher../public.${what}`]!.data, Number);
      const expected = Array.from(own[`teacher.teacher/model.${what}`]!.data, Number);
      expectClose(values, expected, { relativeToLargest: 1e-5 });
    }
  });

  it("shows what the student sees: the augmented picture, white where it is transparent", async () => {
    const opened = await open(distil(), 'data.transform={"type":"augment"}');
    const plain = await open(distil());
    const features = (one: OpenedConfig): Promise<number[]> =>
      withComponents(one, async (run) => {
        const [batch] = await batchesOf(one, run, 1);
        return Array.from(batch!.feeds[FEATURES.image]!.data, Number);
      });
    expect(await features(opened)).not.toEqual(await features(plain));
    expect(await features(opened)).toEqual(await features(opened));
    await withComponents(plain, async (run) => {
      const [found] = run.get(TEACHERS);
      const { settings } = found!.imageViews[0]!.transform;
      expect(settings).toMatchObject({ background: [255, 255, 255], mean: [0.5, 0.4, 0.3] });
      return Promise.resolve();
    });
  });
});

async function runOf(
  out: string,
  set: readonly string[],
  { resume = false, stopAfter }: { resume?: boolean; stopAfter?: number } = {},
): Promise<TrainSummary> {
  const controller = new AbortController();
  return train({
    opened: await open(...set),
    out: join(fake.folder, out),
    resume,
    signal: controller.signal,
    on: (event) => {
      if (event.event === "progress" && event.step === stopAfter) controller.abort();
    },
  });
}

const recordsOf = (out: string): ReturnType<typeof readJsonlLog> =>
  readJsonlLog(join(fake.folder, out, "log.jsonl"));
const lossesOf = (out: string): number[] =>
  recordsOf(out).flatMap((record) => (record.event === "step" ? [Number(record["loss"])] : []));

describe("a student", () => {
  it("comes nearer to its teacher, and its run says who taught it and what a step costs", async () => {
    const set = [distil({ match: "features" }), "training.steps=40"];
    const summary = await runOf("features", set);
    const losses = lossesOf("features");
    expect(losses).toHaveLength(40);
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
    const weights = weightsFingerprint((await readModel(teacher)).parameters);
    const facts = [{ model: "teacher/model", weights }];
    expect(summary.teachers).toEqual(facts);
    expect(summary.flops).toBeGreaterThan(0);
    const [start] = recordsOf("features");
    expect(start).toMatchObject({ event: "start", teachers: facts, flops: summary.flops });
    const alone = await runOf("alone", ["training.steps=1"]);
    expect(alone.teachers).toEqual([]);
    expect(await measureStepFlops(await open(...set))).toBe(summary.flops);
    expect(await measureStepFlops(await open())).toBe(alone.flops);
    expect(alone.flops).toBeLessThan(summary.flops);
  });

  it("learns from a teacher of another width through a map that belongs to the loss", async () => {
    const set = [distil({ match: "features", teacherDim: 8 }), "model.embedDim=6"];
    await runOf("mapped", [...set, "training.steps=40"]);
    const losses = lossesOf("mapped");
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
    const opened = await open(...set);
    await withComponents(opened, (run) => {
      const { trained } = buildStep(opened.config, run);
      expect(trained).toContain("loss.distillation.image_projection.weight");
      return Promise.resolve();
    });
  });

  it("resumes with the same teacher as if it had never stopped, and refuses another's weights", async () => {
    const taught = { type: "distillation", teacher: "./teacher/model" };
    const terms = [
      { loss: { type: "info-nce" } },
      { loss: taught, weight: 2 },
      { loss: { ...taught, match: "features" }, name: "features" },
    ];
    const set = [`loss=${JSON.stringify({ type: "weighted-sum", terms })}`];
    await runOf("whole", set);
    const expected = lossesOf("whole");
    expect(expected).toHaveLength(STEPS);
    expect(expected.at(-1)).toBeLessThan(expected[0]!);
    const stopped = await runOf("stopped", set, { stopAfter: 5 });
    expect(stopped.finished).toBe(false);
    const weights = await readFile(join(teacher, "model.safetensors"));
    const changed = Buffer.from(weights);
    changed[changed.length - 2]! ^= 1;
    await writeFile(join(teacher, "model.safetensors"), changed);
    await expect(runOf("stopped", set, { resume: true })).rejects.toThrow(
      /teacher \.\/teacher\/model: expected the weights that the run began with/,
    );
    await writeFile(join(teacher, "model.safetensors"), weights);
    await runOf("stopped", set, { resume: true });
    expect(lossesOf("stopped")).toEqual(expected);
  });
});

describe("a run whose teacher does not fit", () => {
  const opening = async (...set: string[]): Promise<void> =>
    withComponents(await open(...set), () => Promise.resolve());

  it("says where it looked for one that is not there", async () => {
    await expect(opening(distil({ teacher: "./gone/model" }))).rejects.toThrow(
      `./gone/model: expected a folder or file of a model there, got nothing. Check the path from ${fake.folder};`,
    );
  });

  it("can be looked at all the same", async () => {
    const absent = { teacher: "./gone/model", match: "features", teacherDim: 9 };
    const listed = await inspectConfig(await open(distil(absent)));
    const names = listed.flatMap(({ name, shape }) =>
      name.startsWith("loss.") ? [`${name} ${shape.join("×")}`] : [],
    );
    expect(names).toEqual([
      "loss.distillation.image_projection.weight 9×8",
      "loss.distillation.image_projection.bias 9",
      "loss.distillation.text_projection.weight 9×8",
      "loss.distillation.text_projection.bias 9",
    ]);
  });

  it("says the width that its features have", async () => {
    await expect(opening(distil({ match: "features", teacherDim: 5 }))).rejects.toThrow(
      /teacher\/model: expected features of 5 numbers, got 8\. Set teacherDim: 8 in the loss/,
    );
    await expect(opening(distil({ match: "features" }), "model.embedDim=6")).rejects.toThrow(
      /expected features of 6 numbers, got 8/,
    );
  });

  it("names a tower that it lacks, and does without where only the other is wanted", async () => {
    await writeTinyModel(join(fake.folder, "mute"), "image");
    const set = [distil({ teacher: "mute", match: "features", modalities: ["image"] })];
    await expect(opening(distil({ teacher: "mute" }))).rejects.toThrow(
      /mute: expected a model with an encoder of text, got one of image\. Name another model/,
    );
    const opened = await open(...set);
    await withComponents(opened, async (run) => {
      const [batch] = await batchesOf(opened, run, 1);
      expect(batch!.feeds["teacher.mute.image.8"]!.shape).toEqual([4, 8]);
      const others = Object.keys(batch!.feeds).filter((name) => name.startsWith("teacher"));
      expect(others).toEqual(["teacher.mute.image.8"]);
    });
  });

  it("names modalities that a run does not feed", async () => {
    await expect(
      opening(distil({ match: "features", modalities: ["image", "audio"] })),
    ).rejects.toThrow(/expected features of image or text to be asked for, got "audio"/);
  });

  it("cuts texts that are too long as the teacher's tokenizer does", async () => {
    const opened = await open(distil());
    await withComponents(opened, async (run) => {
      const [found] = run.get(TEACHERS);
      const { tokenizer } = found!.textViews[0]!;
      const long = "red green blue ".repeat(20);
      expect(tokenizer.encodeBatch([long]).lengths).toEqual(Int32Array.of(12));
      await Promise.resolve();
    });
  });
});
