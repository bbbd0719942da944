/** What the model of a checkpoint costs: a folder that training wrote, or a public checkpoint. Weights are not read. */
import { isDiptychError } from "@diptych/core";
import { modelFolder, readModelSource } from "@diptych/checkpoints";
import { measureModel, type ModelCost } from "./inspect-model.js";
import type { MeasureOptions } from "./inspect-tower.js";
import { createOpenClipModel } from "./open-clip-model.js";
import { openModel } from "./read-model.js";

export type CheckpointCost =
  | { readonly cost: ModelCost; readonly assumed: readonly string[] }
  /** It holds no whole model, or one that is not known. */
  | { readonly unknown: string };

/**
 * Costs of the model of a checkpoint, or why they cannot be told.
 *
 * @throws What reading the checkpoint throws, but for a CheckpointError or ConfigError on its architecture.
 */
export async function measureCheckpoint(
  path: string,
  options: MeasureOptions = {},
): Promise<CheckpointCost> {
  try {
    if (await modelFolder.detect(path)) {
      const { model, close } = await openModel(path);
      await close();
      return { cost: measureModel(model, { ...options, name: path }), assumed: [] };
    }
    const { reader, modelConfig, assumed } = await readModelSource(path);
    await reader.close();
    const model = createOpenClipModel(modelConfig);
    return { cost: measureModel(model, { ...options, name: path }), assumed };
  } catch (error) {
    if (isDiptychError(error, "CHECKPOINT") || isDiptychError(error, "CONFIG")) {
      return { unknown: error.message };
    }
    throw error;
  }
}
