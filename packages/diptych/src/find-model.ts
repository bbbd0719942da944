/** Where a model is: a path as it is, or a name that is pulled once and kept. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CheckpointError, isDiptychError } from "@diptych/core";
import { pullModel, type PullOptions } from "@diptych/checkpoints";

/** How names are pulled: where they are kept, whether the network may be asked, who is told. */
export type ModelPullOptions = Pick<
  PullOptions,
  "cacheDir" | "endpoint" | "token" | "offline" | "onProgress" | "log" | "signal"
>;

export interface FindModelOptions extends ModelPullOptions {
  /** Folder that relative paths start from; the process's by default. */
  readonly baseDir?: string;
}

/** What can only be a path: it starts like one, or ends like a file of weights. */
const PATH = /^[./~\\]|^[a-z]:[\\/]|\.(safetensors|pt|pth|bin|json)$/i;

/**
 * The path of a model: `source` where that exists, else of the model that it names (`openai/clip-vit-base-patch32`,
 * `ViT-B/32`, an https address), pulled into the cache if it is not there.
 *
 * @throws CheckpointError where there is neither.
 */
export async function findModel(
  source: string,
  { baseDir, ...options }: FindModelOptions = {},
): Promise<string> {
  const path = baseDir === undefined ? source : resolve(baseDir, source);
  const start = baseDir ?? process.cwd();
  if (existsSync(path)) return path;
  if (PATH.test(source) && !/^https?:/i.test(source)) {
    throw new CheckpointError(
      `diptych/findModel: ${source}: expected a folder or file of a model there, got nothing. Check the path from ${start}; "diptych pull --help" tells of models by name.`,
    );
  }
  try {
    return (await pullModel(source, options)).path;
  } catch (cause) {
    if (!isDiptychError(cause, "CHECKPOINT")) throw cause;
    throw new CheckpointError(
      `diptych/findModel: ${source}: expected a path from ${start} (nothing is there) or a model's name, got: ${cause.message}`,
      { cause },
    );
  }
}
