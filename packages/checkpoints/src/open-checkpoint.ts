/** Opening a checkpoint without being told its format. */
import { CheckpointError, type CheckpointFormat, type CheckpointReader } from "@diptych/core";
import { huggingFaceFolder } from "./formats/hugging-face.js";
import { modelFolder } from "./formats/model-folder.js";
import { openClipFolder } from "./formats/open-clip.js";
import { runState } from "./formats/run-state.js";
import { safetensorsFile } from "./formats/safetensors-file.js";
import { openAiArchive, pytorchFile } from "./formats/torch-formats.js";

/** The formats of this package, in the order in which they are tried. */
export const CHECKPOINT_FORMATS: readonly CheckpointFormat[] = Object.freeze([
  modelFolder,
  openClipFolder,
  huggingFaceFolder,
  runState,
  openAiArchive,
  pytorchFile,
  safetensorsFile,
]);

/** @throws CheckpointError listing the formats when none detects `path`. */
export async function openCheckpoint(
  path: string,
  formats: readonly CheckpointFormat[] = CHECKPOINT_FORMATS,
): Promise<{ readonly format: CheckpointFormat; readonly reader: CheckpointReader }> {
  for (const format of formats) {
    if (await format.detect(path)) return { format, reader: await format.open(path) };
  }
  throw new CheckpointError(
    `checkpoints/openCheckpoint: ${path}: expected a checkpoint (${formats.map((f) => f.name).join(", ")}), got something else or nothing. A folder of ours holds model.safetensors and diptych.json; open_clip's holds open_clip_model.safetensors and open_clip_config.json, Hugging Face's config.json and model.safetensors.`,
  );
}
