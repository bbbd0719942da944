// The same weights in every format that Python writes them in: identical tensors, the same architecture.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  huggingFaceFolder,
  openClipFolder,
  readModelSource,
  type ModelSource,
  type OpenClipModelConfig,
} from "@diptych/checkpoints";
import {
  float16Bits,
  float16Value,
  hostTensorFrom,
  type CheckpointReader,
  type HostTensor,
} from "@diptych/core";
import { afterAll, describe, expect, it } from "vitest";
import { goldenFolder, readTensors } from "./models.golden.test-support.js";

const models = path.join(goldenFolder, "models");
const scratch = mkdtempSync(path.join(tmpdir(), "diptych-formats-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const names = readdirSync(models).filter((name) =>
  existsSync(path.join(models, name, "open_clip_config.json")),
);
/** Golden models that come as `file`. */
const having = (file: string): string[] =>
  names.filter((name) => existsSync(path.join(models, name, file)));

const configOf = (name: string): OpenClipModelConfig =>
  (
    JSON.parse(readFileSync(path.join(models, name, "open_clip_config.json"), "utf8")) as {
      model_cfg: OpenClipModelConfig;
    }
  ).model_cfg;

/** A configuration with open_clip's defaults written out, so that what says the same is equal. */
function complete(config: OpenClipModelConfig): unknown {
  return {
    quick_gelu: false,
    ...config,
    vision_cfg: { head_width: 64, mlp_ratio: 4, patch_size: null, ...config.vision_cfg },
    text_cfg: { mlp_ratio: 4, ...config.text_cfg },
  };
}

const originals = (name: string) =>
  readTensors(path.join(models, name, "open_clip_model.safetensors"));

/** As stored in half precision and widened again. */
function throughHalf(tensor: HostTensor): HostTensor {
  const data = Float32Array.from(tensor.data, (value) => float16Value(float16Bits(value)));
  return hostTensorFrom("float32", tensor.shape, data);
}

/** Every tensor is there, and each has the very bits of the original in the precision that the file has it in. */
async function expectSameTensors(reader: CheckpointReader, name: string): Promise<void> {
  const expected = await originals(name);
  expect(reader.entries.map((entry) => entry.name).sort()).toEqual([...expected.keys()].sort());
  for (const { name: key, shape, dtype } of reader.entries) {
    const original = expected.get(key)!;
    const wanted = dtype === "float16" ? throughHalf(original) : original;
    const read = await reader.read(key);
    expect([read.dtype, read.shape], key).toEqual([wanted.dtype, wanted.shape]);
    expect(shape, key).toEqual(wanted.shape);
    expect(Buffer.compare(bytesOf(read), bytesOf(wanted)), key).toBe(0);
  }
}

function bytesOf({ data }: HostTensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

async function expectSource(
  opening: Promise<ModelSource>,
  name: string,
  source: ModelSource["source"],
): Promise<void> {
  const opened = await opening;
  try {
    expect(opened.source).toBe(source);
    expect(complete(opened.modelConfig)).toEqual(complete(configOf(name)));
    expect(opened.assumed).toEqual([]);
    await expectSameTensors(opened.reader, name);
  } finally {
    await opened.reader.close();
  }
}

describe("golden weights", () => {
  it.each(names)("%s: open_clip's folder", async (name) => {
    await expectSource(readModelSource(path.join(models, name)), name, "open-clip");
  });

  it.each(having("hf/config.json"))("%s: Hugging Face folder", async (name) => {
    await expectSource(readModelSource(path.join(models, name, "hf")), name, "hugging-face");
    const file = path.join(models, name, "hf", "model.safetensors");
    await expectSource(readModelSource(file), name, "hugging-face");
  });

  it.each(having("openai.pt"))("%s: OpenAI's archive, its architecture inferred", async (name) => {
    const file = path.join(models, name, "openai.pt");
    await expectSource(readModelSource(file), name, "openai");
    const { reader } = await readModelSource(file);
    expect(new Set(reader.entries.map(({ dtype }) => dtype))).toContain("float16");
    await reader.close();
    const gelu = { ...configOf(name), quick_gelu: false };
    await expect(readModelSource(file, { modelConfig: gelu })).rejects.toThrow(
      /expected GELU as in the given model_cfg, got a model trained with QuickGELU/,
    );
  });

  it.each(having("open_clip_pytorch_model.bin"))("%s: open_clip's .bin", async (name) => {
    const file = path.join(models, name, "open_clip_pytorch_model.bin");
    const folder = mkdtempSync(path.join(scratch, "bin-"));
    await copyFile(file, path.join(folder, "open_clip_pytorch_model.bin"));
    await copyFile(file, path.join(folder, "alone.pt"));
    await copyFile(
      path.join(models, name, "open_clip_config.json"),
      path.join(folder, "open_clip_config.json"),
    );
    await expectSource(readModelSource(folder), name, "open-clip");
    const modelConfig = configOf(name);
    const alone = readModelSource(path.join(folder, "alone.pt"), { modelConfig });
    await expectSource(alone, name, "open-clip");
  });

  const epochs = names.flatMap((name) =>
    readdirSync(path.join(models, name))
      .filter((file) => /^epoch_\d+\.pt$/.test(file))
      .map((file) => [name, file] as const),
  );
  it.each(epochs)("%s: training checkpoint %s", async (name, file) => {
    const modelConfig = configOf(name);
    const opened = await readModelSource(path.join(models, name, file), { modelConfig });
    expect(opened.reader.metadata).toMatchObject({ key: "state_dict", prefix: "module." });
    expect(opened.reader.metadata["epoch"]).toBe(Number(/\d+/.exec(file)?.[0]));
    await opened.reader.close();
    await expectSource(
      readModelSource(path.join(models, name, file), { modelConfig }),
      name,
      "open-clip",
    );
  });

  it.each(names)("%s: refused where the configuration is another model's", async (name) => {
    const config = configOf(name);
    const other = { ...config, text_cfg: { ...config.text_cfg, layers: 7 } };
    await expect(readModelSource(path.join(models, name), { modelConfig: other })).rejects.toThrow(
      `text_cfg.layers: 7 in the configuration, ${config.text_cfg.layers} by the tensors`,
    );
  });

  it.each(names)("%s: written as open_clip's folder and read again", async (name) => {
    const folder = path.join(scratch, `open-clip-${name}`);
    await openClipFolder.write(folder, {
      tensors: await originals(name),
      metadata: { model_cfg: configOf(name) },
    });
    await expectSource(readModelSource(folder), name, "open-clip");
  });

  it.each(names)("%s: written as a Hugging Face folder, or refused", async (name) => {
    const folder = path.join(scratch, `hf-${name}`);
    const content = { tensors: await originals(name), metadata: { model_cfg: configOf(name) } };
    const writing = huggingFaceFolder.write(folder, content);
    if (typeof configOf(name).vision_cfg.layers !== "number") {
      await expect(writing).rejects.toThrow(/got a ModifiedResNet.*write an open_clip folder/);
      return;
    }
    await writing;
    await expectSource(readModelSource(folder), name, "hugging-face");
  });
});
