/** `diptych convert`: a model of any format, by path or by name, written for another reader. */
import { readFile } from "node:fs/promises";
import { Option, type Command } from "commander";
import { ConfigError } from "@diptych/core";
import { convertModel, MODEL_FORMATS, type ModelFormat, type TransformersJsDtype } from "diptych";
import { positiveInteger } from "../clip-options.js";
import { repeatable } from "./repeatable.js";

interface ConvertFlags {
  readonly to: ModelFormat;
  readonly dtype: readonly TransformersJsDtype[];
  readonly imageSize?: number;
  readonly modelConfig?: string;
  readonly allowMissing: readonly string[];
}

const DTYPES = ["fp32", "fp16", "int8", "q8"] as const satisfies readonly TransformersJsDtype[];

export function addConvertCommand(program: Command): void {
  program
    .command("convert")
    .description("write a model in the layout of another reader")
    .argument("<model>", "folder, file or name of a model")
    .argument("<folder>", "folder to write; a model in it is replaced")
    .addOption(
      new Option("--to <format>", "whom to write for").choices(MODEL_FORMATS).default("open-clip"),
    )
    .addOption(
      new Option("--dtype <set...>", "sets of ONNX files, for transformers.js")
        .choices(DTYPES)
        .default(["fp32"]),
    )
    .option(
      "--image-size <pixels>",
      "resize its position embeddings to pictures of this size",
      positiveInteger,
    )
    .option("--model-config <file>", "open_clip's JSON of the model, for files of weights alone")
    .option(
      "--allow-missing <pattern>",
      "parameters that may be missing (* stands for any text); may be repeated",
      repeatable,
      [],
    )
    .addHelpText(
      "after",
      `
Formats:
  open-clip        open_clip_config.json and open_clip_model.safetensors, for open_clip in Python
  hugging-face     a CLIPModel of transformers in Python (vision transformers only)
  transformers.js  config, tokenizer and ONNX files, for @huggingface/transformers in browsers and Node
  diptych          as training writes it, for models that were trained here

Examples:
  $ diptych convert quickstart/emoji-clip/model emoji --to transformers.js --dtype fp32 int8
  $ diptych convert ViT-B-32.pt vit-b-32
  $ diptych convert openai/clip-vit-base-patch32 vit-b-32-448 --image-size 448
  $ diptych convert epoch_3.pt model --model-config open_clip_config.json`,
    )
    .action(runConvert);
}

async function runConvert(model: string, folder: string, flags: ConvertFlags): Promise<void> {
  const { to, dtype, imageSize, allowMissing, modelConfig } = flags;
  const notes = await convertModel(model, folder, {
    format: to,
    dtypes: dtype,
    allowMissing,
    onFile: (file) => process.stderr.write(`written: ${file}\n`),
    pull: { log: (line) => process.stderr.write(`${line}\n`) },
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(modelConfig === undefined ? {} : { modelConfig: await readModelConfig(modelConfig) }),
  });
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  process.stdout.write(`${folder}\n`);
}

/** `model_cfg` of a file, or the file where it is one itself, as open_clip's model_configs are. */
async function readModelConfig(file: string): Promise<unknown> {
  try {
    const value = JSON.parse(await readFile(file, "utf8")) as { readonly model_cfg?: unknown };
    return value.model_cfg ?? value;
  } catch (cause) {
    throw new ConfigError(
      `cli/convert: --model-config: ${file}: expected open_clip's JSON of a model, got: ${cause instanceof Error ? cause.message : String(cause)}`,
      [],
      { cause },
    );
  }
}
