/** Looking into models: the parameters of a configuration's model, or the tensors of a checkpoint. */
import { buildEncoders, buildLoss, elementCount, type CheckpointReader } from "@diptych/core";
import { Run } from "@diptych/core/plugin";
import { openCheckpoint } from "@diptych/checkpoints";
import { createComponents, LOSS, MODEL } from "./components.js";
import type { OpenedConfig } from "./load-config.js";

export interface InspectedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of entries. */
  readonly values: number;
  readonly role: "weight" | "buffer" | "state";
}

/** Parameters of the model that a configuration describes, with those of its loss. */
export async function inspectConfig(opened: OpenedConfig): Promise<readonly InspectedParameter[]> {
  const run = new Run();
  try {
    await createComponents({ opened, run, on: () => undefined });
    const built = buildLoss(buildEncoders({ ...run.get(MODEL), mode: "train" }), run.get(LOSS));
    return built.model.parameters.map(({ name, shape, role }) => ({
      name,
      shape,
      values: elementCount(shape),
      role,
    }));
  } finally {
    await run.dispose();
  }
}

/** Tensors of a checkpoint of any known format. @throws CheckpointError on anything else. */
export async function inspectCheckpoint(path: string): Promise<readonly InspectedParameter[]> {
  const { reader } = await openCheckpoint(path);
  try {
    return reader.entries.map((entry) => inspectEntry(entry));
  } finally {
    await reader.close();
  }
}

const BUFFER = /\.(running_mean|running_var|num_batches_tracked)$/;

function inspectEntry({ name, shape }: CheckpointReader["entries"][number]): InspectedParameter {
  const isState = /^(optimizer|ema)\./.test(name);
  const role = isState ? "state" : BUFFER.test(name) ? "buffer" : "weight";
  return { name, shape, values: elementCount(shape), role };
}
