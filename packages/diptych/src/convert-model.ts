/** Writing a model in the layouts that others read: open_clip, transformers, transformers.js, and our own. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError, ConfigError } from "@diptych/core";
import { huggingFaceFolder, openClipFolder, writeJsonAtomically } from "@diptych/checkpoints";
import { toHuggingFaceTokenizer } from "@diptych/text-transformer";
import { describeAsOpenClip } from "./describe-as-open-clip.js";
import { exportTransformersJs, type TransformersJsDtype } from "./export/export-transformers-js.js";
import { isBytePair } from "./export/transformers-js-configs.js";
import { saveModel } from "./model-folder.js";
import { readModel, type LoadedModel, type ReadModelOptions } from "./read-model.js";

/** `open-clip` and `hugging-face` for Python, `transformers.js` for browsers and Node, `diptych` as training writes it. */
export const MODEL_FORMATS = ["open-clip", "hugging-face", "transformers.js", "diptych"] as const;
export type ModelFormat = (typeof MODEL_FORMATS)[number];

export interface WriteModelOptions {
  /** `open-clip` by default. */
  readonly format?: ModelFormat;
  /** Sets of ONNX files of a transformers.js folder; `["fp32"]` by default. */
  readonly dtypes?: readonly TransformersJsDtype[];
  /** Told of each ONNX file when it is written. */
  readonly onFile?: (file: string) => void;
}

/** What the written folder cannot say, in words for the user. */
export type WriteNotes = readonly string[];

/**
 * Writes `loaded` as a folder; it appears at once, or not.
 *
 * @throws ConfigError where the format has no words for a tower or tokenizer, CheckpointError where something else is in
 * the folder or the write fails.
 */
export async function writeModel(
  loaded: LoadedModel,
  folder: string,
  { format = "open-clip", dtypes, onFile }: WriteModelOptions = {},
): Promise<WriteNotes> {
  await checkFolder(folder);
  switch (format) {
    case "open-clip":
      await openClipFolder.write(folder, openClipContent(loaded));
      return [...tokenizerNotes(loaded, "open_clip"), ...scoringNotes(loaded)];
    case "hugging-face":
      await huggingFaceFolder.write(folder, openClipContent(loaded));
      return [...(await writeTokenizer(loaded, folder)), ...scoringNotes(loaded)];
    case "transformers.js":
      if (!hasOwnTokenizer(loaded)) throw unknownTokenizer(loaded);
      return [
        ...exactnessNotes(
          await exportTransformersJs(loaded, folder, {
            ...(dtypes ? { dtypes } : {}),
            ...(onFile ? { onFile } : {}),
          }),
        ),
        ...scoringNotes(loaded),
      ];
    case "diptych":
      await writeOwn(loaded, folder);
      return [];
  }
}

/**
 * Reads a model of any format, by path or by name, and writes it in another.
 *
 * @throws what {@link readModel} and {@link writeModel} do.
 * @example
 * await convertModel("ViT-B-32.pt", "vit-b-32-open-clip", { format: "open-clip" });
 */
export async function convertModel(
  source: string,
  folder: string,
  options: WriteModelOptions & ReadModelOptions = {},
): Promise<WriteNotes> {
  const loaded = await readModel(source, options);
  const notes = await writeModel(loaded, folder, options);
  return [...loaded.assumed, ...notes];
}

/** @throws CheckpointError where a folder holds what no model writes. */
async function checkFolder(folder: string): Promise<void> {
  const present = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new CheckpointError(
      `diptych/writeModel: ${folder}: expected a new folder, got: ${error instanceof Error ? error.message : String(error)}. Choose another.`,
      { cause: error },
    );
  });
  const isModel = present.some((name) => /(^|_)config\.json$|^diptych\.json$/.test(name));
  if (present.length === 0 || isModel) return;
  throw new CheckpointError(
    `diptych/writeModel: ${folder}: expected a new folder or one of a model, got one with ${present.slice(0, 3).join(", ")}${present.length > 3 ? ", …" : ""}, which would be lost. Choose another.`,
  );
}

function openClipContent(loaded: LoadedModel): Parameters<typeof openClipFolder.write>[1] {
  const { pictures, opened } = loaded;
  return {
    tensors: towerParameters(loaded),
    metadata: {
      model_cfg: loaded.modelConfig ?? (opened && describeAsOpenClip({ ...loaded, opened })),
      preprocess_cfg: {
        size: [pictures.imageHeight, pictures.imageWidth],
        mode: "RGB",
        mean: pictures.mean,
        std: pictures.std,
        interpolation: pictures.interpolation,
        resize_mode: pictures.resizeMode,
        fill_color: pictures.fillColor,
      },
    },
  };
}

/** Without those of the loss, for which other formats have no place. */
function towerParameters({ parameters, scoring }: LoadedModel): LoadedModel["parameters"] {
  const others = new Set(scoring?.parameters.map(({ name }) => name));
  return new Map([...parameters].filter(([name]) => !others.has(name)));
}

function scoringNotes({ scoring }: LoadedModel): WriteNotes {
  const count = scoring?.parameters.length ?? 0;
  if (count === 0) return [];
  return [
    `The ${count} parameters that the loss scores pairs by stay behind: the folder holds the towers alone. Format "diptych" keeps them.`,
  ];
}

/** open_clip takes CLIP's own tokenizer whatever a folder holds. */
function tokenizerNotes({ source, tokenizer }: LoadedModel, reader: string): WriteNotes {
  if (source !== "diptych" || tokenizer.name === "clip-bpe") return [];
  return [
    `${reader} reads texts with CLIP's tokenizer of 49,408 ids; this model's has ${tokenizer.vocabSize}. Its text tower works there on ids made here (encode with "tokenizer" of loadClip).`,
  ];
}

/** Whether the tokenizer can be the model's: public checkpoints do not carry theirs, and CLIP's is assumed. */
function hasOwnTokenizer({ model, tokenizer }: LoadedModel): boolean {
  const vocab = model.encoders["text"]?.facts["vocab"];
  return typeof vocab !== "number" || tokenizer.vocabSize <= vocab;
}

function unknownTokenizer({ path }: LoadedModel): ConfigError {
  return new ConfigError(
    `diptych/writeModel: ${path}: expected a model with CLIP's tokenizer, got one with a vocabulary of its own, whose tokenizer is not in the source. Write open-clip or hugging-face, which hold weights alone.`,
  );
}

async function writeTokenizer(loaded: LoadedModel, folder: string): Promise<WriteNotes> {
  const { tokenizer } = loaded;
  if (!hasOwnTokenizer(loaded))
    return [
      "The model has a vocabulary of its own, whose tokenizer is not in the source: none was written.",
    ];
  if (!isBytePair(tokenizer)) {
    return [
      `transformers has no tokenizer like "${tokenizer.name}": none was written. Make ids with "tokenizer" of loadClip.`,
    ];
  }
  const { tokenizerJson, tokenizerConfig, exact } = toHuggingFaceTokenizer(tokenizer);
  await writeJsonAtomically(join(folder, "tokenizer.json"), tokenizerJson);
  await writeJsonAtomically(join(folder, "tokenizer_config.json"), tokenizerConfig);
  return exactnessNotes({ exactTokenizer: exact });
}

function exactnessNotes({ exactTokenizer }: { readonly exactTokenizer: boolean }): WriteNotes {
  return exactTokenizer ? [] : [CUT_VOCABULARY];
}

const CUT_VOCABULARY =
  "Its tokenizer's vocabulary was cut to the captions of its training: transformers.js divides words beyond them into other pieces, and Python's transformers may refuse the file.";

async function writeOwn(loaded: LoadedModel, folder: string): Promise<void> {
  const { opened, tokenizer, parameters, step = 0 } = loaded;
  if (!opened) {
    throw new ConfigError(
      `diptych/writeModel: format: expected a model that was trained here for "diptych", got one of ${loaded.source}. Use another format.`,
    );
  }
  await saveModel(folder, { config: opened.config, tokenizer, parameters, step });
}
