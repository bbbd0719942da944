/** A trained model on disk: saving it from a run, and what a folder says of itself before anything is loaded. */
import {
  CheckpointError,
  type HostTensor,
  type ResolvedConfig,
  type Tokenizer,
  type TokenizerState,
} from "@diptych/core";
import { modelFolder } from "@diptych/checkpoints";
import { z } from "zod";

const metadataSchema = z.looseObject({
  kind: z.literal("diptych-model"),
  version: z.literal(1),
  /** The configuration with all defaults, as plain data. */
  config: z.looseObject({}),
  /** Modules that the configuration loads plugins from. */
  plugins: z.array(z.string()),
  tokenizer: z.looseObject({ type: z.string() }),
  /** Training steps behind the weights. */
  step: z.int().min(0),
});

/** What `diptych.json` of a model folder holds. */
export type ModelMetadata = z.output<typeof metadataSchema> & {
  readonly tokenizer: TokenizerState;
};

export interface SaveModelOptions {
  readonly config: ResolvedConfig;
  readonly tokenizer: Tokenizer;
  /** Weights and buffers by state-dict name. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly step: number;
}

/** Writes a model folder: `model.safetensors`, `diptych.json`. @throws CheckpointError on a failed write. */
export async function saveModel(path: string, options: SaveModelOptions): Promise<void> {
  const { config, tokenizer, parameters, step } = options;
  await modelFolder.write(path, {
    tensors: parameters,
    metadata: {
      kind: "diptych-model",
      version: 1,
      config: config.plain,
      plugins: config.pluginModules,
      tokenizer: tokenizer.toJSON(),
      step,
    },
  });
}

/** @throws CheckpointError where the metadata is of another kind or version. */
export function parseModelMetadata(metadata: unknown, path: string): ModelMetadata {
  const parsed = metadataSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new CheckpointError(
    `diptych/loadModel: ${path}: expected the folder of a trained model, got ${problems.join("; ")}. Give the "model" folder of a finished run.`,
  );
}
