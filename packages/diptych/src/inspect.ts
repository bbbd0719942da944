/** Looking into models: the parameters of a configuration's model, or the tensors of a checkpoint. */
import {
  buildEncoders,
  buildLoss,
  elementCount,
  InternalError,
  type CheckpointReader,
} from "@diptych/core";
import { Run } from "@diptych/core/plugin";
import { openCheckpoint } from "@diptych/checkpoints";
import {
  captionsOf,
  createDataset,
  createModelComponents,
  DATASET,
  LOSS,
  MODEL,
} from "./components.js";
import type { OpenedConfig } from "./load-config.js";
import { batchSizes } from "./run-step.js";

export interface InspectedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of entries. */
  readonly values: number;
  readonly role: "weight" | "buffer" | "state";
}

/** Parameters of the model that a configuration describes, with those of its loss. */
export async function inspectConfig(opened: OpenedConfig): Promise<readonly InspectedParameter[]> {
  return withConfiguredModel(opened, (run) => {
    const model = buildEncoders({ ...run.get(MODEL), mode: "train" });
    const built = buildLoss(model, run.get(LOSS), { sizes: batchSizes(opened.config) });
    return built.model.parameters.map(({ name, shape, role }) => ({
      name,
      shape,
      values: elementCount(shape),
      role,
    }));
  });
}

/** Runs `work` with the tokenizer, model and loss of a configuration. Its data are read only where the vocabulary comes from them. */
export async function withConfiguredModel<T>(
  opened: OpenedConfig,
  work: (run: Run) => T,
): Promise<T> {
  const captions = { wanted: false };
  try {
    return await withRun(async (run) => {
      await createModelComponents({ opened, run }, () => {
        captions.wanted = true;
        throw new InternalError("diptych/inspect: captions: asked for before the data are read.");
      });
      return work(run);
    });
  } catch (error) {
    if (!captions.wanted) throw error;
  }
  return withRun(async (run) => {
    const on = (): void => undefined;
    const dataset = await run.create(DATASET, () =>
      createDataset(opened.config.data.train, { opened, on }),
    );
    await createModelComponents({ opened, run }, () => captionsOf(dataset));
    return work(run);
  });
}

async function withRun<T>(work: (run: Run) => Promise<T>): Promise<T> {
  const run = new Run();
  try {
    return await work(run);
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
