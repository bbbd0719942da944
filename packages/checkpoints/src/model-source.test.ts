import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostTensorFrom, type HostTensor } from "@diptych/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFolderAtomically } from "./atomic-write.js";
import { huggingFaceFolder } from "./formats/hugging-face.js";
import { openClipFolder } from "./formats/open-clip.js";
import { runState } from "./formats/run-state.js";
import { safetensorsFile } from "./formats/safetensors-file.js";
import { readModelSource } from "./model-source.js";
import type { OpenClipModelConfig } from "./clip/open-clip-config.js";
import { writeSafetensors } from "./safetensors/write.js";
import { torchZip } from "./torch/torch-zip.test-support.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-source-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const CONFIG: OpenClipModelConfig = {
  embed_dim: 2,
  quick_gelu: false,
  vision_cfg: { image_size: 4, layers: 1, width: 64, patch_size: 2 },
  text_cfg: { context_length: 3, vocab_size: 5, width: 64, heads: 1, layers: 1 },
};

function block(prefix: string, width: number): [string, number[]][] {
  return [
    [`${prefix}ln_1.weight`, [width]],
    [`${prefix}attn.in_proj_weight`, [3 * width, width]],
    [`${prefix}attn.in_proj_bias`, [3 * width]],
    [`${prefix}attn.out_proj.weight`, [width, width]],
    [`${prefix}mlp.c_fc.weight`, [4 * width, width]],
    [`${prefix}mlp.c_proj.weight`, [width, 4 * width]],
  ];
}

const SHAPES: readonly [string, number[]][] = [
  ["positional_embedding", [3, 64]],
  ["text_projection", [64, 2]],
  ["logit_scale", []],
  ["token_embedding.weight", [5, 64]],
  ["ln_final.weight", [64]],
  ...block("transformer.resblocks.0.", 64),
  ["visual.class_embedding", [64]],
  ["visual.positional_embedding", [5, 64]],
  ["visual.proj", [64, 2]],
  ["visual.conv1.weight", [64, 3, 2, 2]],
  ["visual.ln_pre.weight", [64]],
  ...block("visual.transformer.resblocks.0.", 64),
];

const tensors = (): [string, HostTensor][] =>
  SHAPES.map(([name, shape], t) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [
      name,
      hostTensorFrom(
        "float32",
        shape,
        Float64Array.from({ length: size }, (_, i) => Math.sin(i + t)),
      ),
    ];
  });

/** Opens, closes, and gives what it said. */
async function described(path: string, modelConfig?: unknown) {
  const source = await readModelSource(path, { modelConfig });
  await source.reader.close();
  return source;
}

describe("readModelSource of weights alone", () => {
  const file = async (entries = tensors()): Promise<string> => {
    const path = join(folder, "weights.safetensors");
    await writeSafetensors(path, entries);
    return path;
  };

  it("infers what shapes tell and says what it assumed", async () => {
    const { source, modelConfig, assumed } = await described(await file());
    expect(source).toBe("open-clip");
    expect(modelConfig).toEqual(CONFIG);
    expect(assumed.join("; ")).toMatch(/heads are 64 wide.*activation is GELU.*need QuickGELU/);
  });

  it("takes the given configuration, if the shapes agree", async () => {
    const given = { ...CONFIG, quick_gelu: true };
    expect(await described(await file(), given)).toMatchObject({ modelConfig: given, assumed: [] });
    const wrong = { ...CONFIG, vision_cfg: { ...CONFIG.vision_cfg, image_size: 6 } };
    await expect(described(await file(), wrong)).rejects.toThrow(
      /patches: 9 in the configuration, 4 by/,
    );
  });

  it("knows OpenAI's weights by their scalars, also outside their archive", async () => {
    const scalar = (value: number) => hostTensorFrom("int32", [], [value]);
    const marks = { input_resolution: scalar(4), context_length: scalar(3), vocab_size: scalar(5) };
    const path = join(folder, "state.pt");
    await writeFile(path, torchZip({ ...Object.fromEntries(tensors()), ...marks }));
    const { source, modelConfig, assumed, reader } = await described(path);
    expect({ source, modelConfig, assumed }).toEqual({
      source: "openai",
      modelConfig: { ...CONFIG, vision_cfg: { ...CONFIG.vision_cfg }, quick_gelu: true },
      assumed: [],
    });
    expect(reader.entries).toHaveLength(SHAPES.length);
    await expect(described(path, CONFIG)).rejects.toThrow(
      /expected GELU.*got a model trained with QuickGELU/,
    );
  });

  it.each([
    [
      "heads that cannot be 64 wide",
      "token_embedding.weight",
      "positional_embedding",
      /width of 48 in the text tower/,
    ],
  ])("refuses %s", async (_, first, second, expected) => {
    const narrow = tensors().map(([name, tensor]): [string, HostTensor] =>
      name === first || name === second
        ? [
            name,
            hostTensorFrom(
              "float32",
              [tensor.shape[0]!, 48],
              new Float64Array(48 * tensor.shape[0]!),
            ),
          ]
        : [name, tensor],
    );
    await expect(described(await file(narrow))).rejects.toThrow(expected);
  });

  it("refuses what shapes do not explain, and what is no CLIP", async () => {
    const scale = hostTensorFrom("float32", [64], new Float64Array(64));
    const more: [string, HostTensor][] = [
      ...tensors(),
      ["visual.transformer.resblocks.0.ls_1.gamma", scale],
    ];
    await expect(described(await file(more))).rejects.toThrow(
      /no plain CLIP has.*ls_1\.gamma.*model_cfg/,
    );
    await expect(described(await file([["w", scale]]))).rejects.toThrow(
      /tensors of a CLIP.*1 others \(w\)/,
    );
    const run = join(folder, "run");
    await runState.write(run, { tensors: tensors(), metadata: {} });
    await expect(described(run)).rejects.toThrow(/format "run-state"/);
  });

  it("reads its configuration from the folder that a file lies in", async () => {
    const path = join(folder, "model");
    const metadata = { model_cfg: { ...CONFIG, quick_gelu: true } };
    await openClipFolder.write(path, { tensors: tensors(), metadata });
    const source = await described(join(path, "open_clip_model.safetensors"));
    expect(source.modelConfig.quick_gelu).toBe(true);
    expect(source.assumed).toEqual([]);
  });

  it("takes the configuration that a file of ours carries", async () => {
    const path = join(folder, "own.safetensors");
    const metadata = { model_cfg: { ...CONFIG, quick_gelu: true } };
    await safetensorsFile.write(path, { tensors: tensors(), metadata });
    expect((await described(path)).modelConfig.quick_gelu).toBe(true);
  });
});

describe("Hugging Face folders", () => {
  const write = async (change: object = {}): Promise<string> => {
    const path = join(folder, "hf");
    await huggingFaceFolder.write(path, {
      tensors: tensors(),
      metadata: { model_cfg: { ...CONFIG, ...change } },
    });
    return path;
  };
  const textOf = async (path: string, change: object): Promise<unknown> => {
    const config = {
      model_type: "clip",
      projection_dim: 2,
      text_config: {
        hidden_size: 64,
        intermediate_size: 256,
        num_hidden_layers: 1,
        num_attention_heads: 1,
        vocab_size: 5,
        max_position_embeddings: 3,
        hidden_act: "gelu",
        ...change,
      },
      vision_config: {
        hidden_size: 64,
        intermediate_size: 256,
        num_hidden_layers: 1,
        num_attention_heads: 1,
        image_size: 4,
        patch_size: 2,
        hidden_act: "gelu",
      },
    };
    await writeFile(join(path, "config.json"), JSON.stringify(config));
    return (await described(path)).modelConfig.text_cfg;
  };

  it("come back with the values that were written", async () => {
    const { reader, modelConfig, preprocessConfig } = await readModelSource(await write());
    expect(modelConfig).toEqual(CONFIG);
    expect(preprocessConfig).toMatchObject({ interpolation: "bicubic", resize_mode: "shortest" });
    for (const [name, tensor] of tensors()) expect(await reader.read(name), name).toEqual(tensor);
    await reader.close();
  });

  it("pool by argmax for the ids that mean it, and by id otherwise", async () => {
    const path = await write();
    expect(await textOf(path, { eos_token_id: 2 })).not.toHaveProperty("pool_type");
    expect(await textOf(path, { eos_token_id: 4 })).not.toHaveProperty("pool_type");
    expect(await textOf(path, { eos_token_id: 3 })).toMatchObject({ pool_type: "eos", eos_id: 3 });
  });

  it("are refused where weights and configuration disagree, and where nothing is written for others", async () => {
    const path = await write();
    await expect(textOf(path, { num_hidden_layers: 2 })).rejects.toThrow(
      /text_cfg.layers: 2 in the configuration, 1/,
    );
    await expect(described(await write(), { ...CONFIG, quick_gelu: true })).rejects.toThrow(
      /expected QuickGELU.*got a model trained with GELU \(hidden_act/,
    );
    const more: [string, HostTensor][] = [
      ...tensors(),
      ["logit_bias", hostTensorFrom("float32", [], [1])],
    ];
    const content = { tensors: more, metadata: { model_cfg: CONFIG } };
    await expect(huggingFaceFolder.write(join(folder, "no"), content)).rejects.toThrow(
      /"logit_bias"/,
    );
    const pooled = {
      tensors: tensors(),
      metadata: { model_cfg: { ...CONFIG, text_cfg: { ...CONFIG.text_cfg, pool_type: "last" } } },
    };
    await expect(huggingFaceFolder.write(join(folder, "no"), pooled)).rejects.toThrow(
      /pooled by "last"/,
    );
  });

  it("are read from shards", async () => {
    const path = await write();
    const whole = await safetensorsFile.open(join(path, "model.safetensors"));
    const weightMap: Record<string, string> = {};
    const shards: [string, HostTensor][][] = [[], []];
    for (const [i, { name }] of whole.entries.entries()) {
      weightMap[name] = `model-0000${(i % 2) + 1}-of-00002.safetensors`;
      shards[i % 2]!.push([name, await whole.read(name)]);
    }
    await whole.close();
    const sharded = join(folder, "sharded");
    await writeFolderAtomically(sharded, async (inner) => {
      for (const [i, shard] of shards.entries())
        await writeSafetensors(join(inner, `model-0000${i + 1}-of-00002.safetensors`), shard);
      await writeFile(
        join(inner, "model.safetensors.index.json"),
        JSON.stringify({ weight_map: weightMap }),
      );
    });
    await copyFile(join(path, "config.json"), join(sharded, "config.json"));
    const { reader } = await readModelSource(sharded);
    for (const [name, tensor] of tensors()) expect(await reader.read(name), name).toEqual(tensor);
    await reader.close();
  });
});
