/** The saved state of a run: every state tensor by name, and what it takes to go on. */
import {
  CheckpointError,
  createHostTensor,
  elementCount,
  TRAINING_PRECISIONS,
  type CheckpointReader,
  type HostTensor,
} from "@diptych/core";
import { z } from "zod";
import type { TrainStep } from "../train-step/train-step.js";

const metadataSchema = z.looseObject({
  kind: z.literal("diptych-training-state"),
  version: z.literal(1),
  /** Steps done: the next step's number. */
  step: z.int().min(0),
  seed: z.int().min(0),
  /** Decided before step 0, also where the configuration gives a duration. */
  totalSteps: z.int().min(1).optional(),
  optimizer: z.string(),
  precision: z.enum(TRAINING_PRECISIONS).default("fp32"),
  /** Steps among those done that overflowed and changed nothing. */
  skippedSteps: z.int().min(0).default(0),
  /** Of runs in float16. */
  lossScale: z.strictObject({ scale: z.number().positive(), good: z.int().min(0) }).optional(),
});

/** What is saved beside the tensors; further keys are the caller's (configuration, tokenizer). */
export type TrainingMetadata = z.output<typeof metadataSchema>;

export interface TrainingState {
  /** Parameters and buffers by name, `optimizer.<slot>.<name>`, `ema.<name>`. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: TrainingMetadata;
}

/**
 * Metadata of a saved state.
 *
 * @throws CheckpointError where it is not one, naming what is missing.
 */
export function parseTrainingMetadata(
  metadata: Readonly<Record<string, unknown>>,
  path: string,
): TrainingMetadata {
  const parsed = metadataSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path: at, message }) => `${at.join(".")}: ${message}`,
  );
  throw new CheckpointError(
    `training/parseTrainingMetadata: ${path}: expected the state of a training run, got ${problems.join("; ")}. Resume from a folder under checkpoints/ of the run.`,
  );
}

/**
 * Reads the state that `step` keeps from an open checkpoint.
 *
 * @throws CheckpointError listing every tensor that is missing, unexpected or of another shape, and on a truncated file.
 */
export async function readTrainingState(
  reader: CheckpointReader,
  step: TrainStep,
): Promise<TrainingState> {
  const metadata = parseTrainingMetadata(reader.metadata, reader.path);
  if (metadata.optimizer !== step.optimizer.name) {
    throw new CheckpointError(
      `training/readTrainingState: ${reader.path}: expected a run with the optimizer "${step.optimizer.name}", got "${metadata.optimizer}". Resume with the configuration that the run began with.`,
    );
  }
  checkEntries(reader, step);
  const tensors = new Map<string, HostTensor>();
  for (const { name, shape } of step.state) {
    tensors.set(name, asState(await reader.read(name), shape));
  }
  return Object.freeze({ tensors, metadata });
}

/** Scalars are [] here and sometimes [1] in files. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length === b.length) return a.every((size, i) => size === b[i]);
  return a.length + b.length === 1 && elementCount(a) === 1 && elementCount(b) === 1;
}

function checkEntries(reader: CheckpointReader, { state }: TrainStep): void {
  const stored = new Map(reader.entries.map((entry) => [entry.name, entry.shape]));
  const problems: string[] = [];
  for (const { name, shape } of state) {
    const found = stored.get(name);
    if (!found) problems.push(`missing     ${name} [${shape.join(", ")}]`);
    else if (!sameShape(found, shape))
      problems.push(
        `other shape ${name}: the run has [${shape.join(", ")}], the checkpoint [${found.join(", ")}]`,
      );
    stored.delete(name);
  }
  for (const [name, shape] of stored) problems.push(`unexpected  ${name} [${shape.join(", ")}]`);
  if (problems.length === 0) return;
  throw new CheckpointError(
    `training/readTrainingState: ${reader.path}: expected the ${state.length} tensors of this run, got ${problems.length} that do not fit:\n${problems.map((line) => `  ${line}`).join("\n")}\nResume with the configuration that the run began with.`,
  );
}

/** Counters are stored as integers by some formats. */
function asState(tensor: HostTensor, shape: readonly number[]): HostTensor {
  const data =
    tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data as never);
  return createHostTensor("float32", shape, data);
}
