/** Writing the folder that @huggingface/transformers loads in Node and in browsers. */
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  ConfigError,
  type ConstantPrecision,
  type HostTensor,
  type MultiEncoder,
  type Tokenizer,
} from "@diptych/core";
import { exportOnnxModel } from "@diptych/backend-onnx";
import { writeFolderAtomically, writeJsonAtomically } from "@diptych/checkpoints";
import { buildModelGraphs, FILE_NAMES } from "./model-graphs.js";
import {
  modelConfig,
  preprocessorConfig,
  tokenizerFiles,
  type PictureSettings,
} from "./transformers-js-configs.js";

/** transformers.js's names: the suffix of the file, and what is in it. `q8` is `int8` under the name that browsers ask for. */
const DTYPES = {
  fp32: { suffix: "", precision: "float32" },
  fp16: { suffix: "_fp16", precision: "float16" },
  int8: { suffix: "_int8", precision: "int8" },
  q8: { suffix: "_quantized", precision: "int8" },
} as const satisfies Record<string, { suffix: string; precision: ConstantPrecision }>;

export type TransformersJsDtype = keyof typeof DTYPES;

/** A model as `readModel` gives it. */
export interface TransformersJsSource {
  readonly model: MultiEncoder;
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly tokenizer: Tokenizer;
  readonly pictures: PictureSettings;
}

export interface ExportTransformersJsOptions {
  /** Which sets of files; default fp32 alone. */
  readonly dtypes?: readonly TransformersJsDtype[];
  /** int8 weights in 7 bits, safe on every processor; default true (see `buildOnnxModel`). */
  readonly reduceRange?: boolean;
  /** Weights of more bytes than this go to a file beside the model; default 1.5 GB. */
  readonly externalDataAbove?: number;
  /** Called with each file when it is written. */
  readonly onFile?: (file: string) => void;
}

export interface ExportedTransformersJs {
  /** Whether every plainly written text gets our ids there (see `toHuggingFaceTokenizer`). */
  readonly exactTokenizer: boolean;
}

/**
 * Writes `config.json`, `preprocessor_config.json`, `tokenizer.json`, `tokenizer_config.json` and
 * `onnx/{model,text_model,vision_model}<dtype>.onnx`; a folder of that name is replaced once all is written.
 *
 * Any image tower will do, ResNets too: the files alone decide what is computed, and `model_type: "clip"` how they are
 * called. Batches and text lengths stay open. transformers.js resizes pictures without antialiasing, so that its features of
 * photographs differ from those of ours and of Python's; given the same pixels they are the same. Its tokenizer repairs no
 * broken text.
 *
 * @throws ConfigError on towers, picture sizes or tokenizers that transformers.js has no words for; CheckpointError and
 * BackendError on a failed write.
 */
export async function exportTransformersJs(
  source: TransformersJsSource,
  folder: string,
  options: ExportTransformersJsOptions = {},
): Promise<ExportedTransformersJs> {
  const { dtypes = ["fp32"], onFile } = options;
  const [first] = dtypes;
  if (first === undefined) {
    throw new ConfigError(
      `diptych/exportTransformersJs: dtypes: expected at least one of ${Object.keys(DTYPES).join(", ")}, got none.`,
    );
  }
  const { model, tokenizer } = source;
  // All that can be refused is refused before the first byte is written.
  const graphs = buildModelGraphs(model);
  const pictures = preprocessorConfig(source.pictures);
  const { tokenizerJson, tokenizerConfig, exact } = tokenizerFiles(tokenizer);
  await writeFolderAtomically(folder, async (beside) => {
    const externalData: Record<string, number> = {};
    await mkdir(join(beside, "onnx"));
    for (const dtype of new Set(dtypes)) {
      for (const graph of graphs) {
        const file = `onnx/${graph.file}${DTYPES[dtype].suffix}.onnx`;
        const written = await writeGraph(source, graph, {
          ...options,
          path: join(beside, file),
          dtype,
        });
        if (written.dataPath !== undefined) externalData[basename(file)] = 1;
        onFile?.(file);
      }
    }
    const config = modelConfig(model, {
      tokenizer,
      dtype: dtypes.includes("fp32") ? "fp32" : first,
      wasmDtype: ["q8", "int8", "fp32"].find((name) => dtypes.includes(name as never)) ?? first,
      externalData,
    });
    await writeJsonAtomically(join(beside, "preprocessor_config.json"), pictures);
    await writeJsonAtomically(join(beside, "tokenizer.json"), tokenizerJson);
    await writeJsonAtomically(join(beside, "tokenizer_config.json"), tokenizerConfig);
    await writeJsonAtomically(join(beside, "config.json"), config);
  });
  return { exactTokenizer: exact };
}

function writeGraph(
  { parameters }: TransformersJsSource,
  { graph, finish }: ReturnType<typeof buildModelGraphs>[number],
  {
    path,
    dtype,
    reduceRange,
    externalDataAbove,
  }: ExportTransformersJsOptions & { readonly path: string; readonly dtype: TransformersJsDtype },
): ReturnType<typeof exportOnnxModel> {
  return exportOnnxModel(graph, path, {
    ...FILE_NAMES,
    parameters,
    precision: DTYPES[dtype].precision,
    ...(finish ? { finish } : {}),
    ...(reduceRange === undefined ? {} : { reduceRange }),
    ...(externalDataAbove === undefined ? {} : { externalDataAbove }),
  });
}
