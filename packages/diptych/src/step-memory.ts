/** How much memory a training step takes, before it is compiled: a step that cannot fit is refused with the numbers. */
import { totalmem } from "node:os";
import {
  BYTES_PER_ELEMENT,
  ConfigError,
  elementCount,
  evaluateShape,
  formatBytes,
  parseBytes,
  TrainingError,
  type BackendCapabilities,
  type DType,
  type Shape,
} from "@diptych/core";
import { estimatePeakBytes, nodesInOrder, prepareForBackend } from "@diptych/core/backend";
import type { TrainStep } from "@diptych/training";

/** Bytes of a step. */
export interface StepMemory {
  /** Parameters, buffers, and what the optimizer and the moving average keep of each. */
  readonly state: number;
  /** Gradients and new values of buffers, which lie between the step's two parts. */
  readonly gradients: number;
  /** The most that is alive at once of what the forward and backward parts compute. */
  readonly activations: number;
  /** The batch of the step and those prepared ahead. */
  readonly batches: number;
  /** Weights of the models that the loss is taught by, and what is prepared for them. */
  readonly teachers: number;
  readonly total: number;
}

export interface StepMemoryOptions {
  readonly capabilities: BackendCapabilities;
  /** Batches prepared ahead. */
  readonly prefetch: number;
  /** Bytes of the teachers; 0 by default. */
  readonly teachers?: number;
}

/**
 * Estimate for a step whose symbols are bound, on the graph that the backend would run and in an order as good as its
 * own. What a runtime takes beside (its code, rearranged weights, holes between tensors) does not count: the step
 * takes more rather than less.
 */
export function estimateStepMemory(
  step: TrainStep,
  { capabilities, prefetch, teachers = 0 }: StepMemoryOptions,
): StepMemory {
  const state = sumBytes(step.state.map(({ shape }) => ({ shape, dtype: "float32" as const })));
  const gradients = sumBytes(step.work);
  const batches =
    sumBytes([...step.batchInputs, ...step.randomInputs.map(asFloat)]) * (1 + prefetch);
  const graph = prepareForBackend(step.gradient, capabilities, "this backend");
  // Parameters are declared from the first layer to the last, and gradients are listed so: from the end, cotangents
  // and activations die as the walk goes down.
  const order = nodesInOrder([...graph.inputs, ...Object.values(graph.outputs).toReversed()]);
  const activations = estimatePeakBytes(graph, order, { outputs: "elsewhere" });
  const total = state + gradients + batches + activations + teachers;
  return Object.freeze({ state, gradients, activations, batches, teachers, total });
}

interface Sized {
  readonly shape: Shape;
  readonly dtype: DType;
}

const asFloat = ({ shape }: { readonly shape: Shape }): Sized => ({ shape, dtype: "float32" });

function sumBytes(tensors: readonly Sized[]): number {
  return tensors.reduce(
    (bytes, { shape, dtype }) =>
      bytes + elementCount(evaluateShape(shape, {})) * BYTES_PER_ELEMENT[dtype],
    0,
  );
}

/**
 * Bytes that a step may take: `DIPTYCH_MEMORY_LIMIT` (such as 48GB, or none), else what the machine has or a container
 * allows; undefined where there is no limit.
 *
 * @throws ConfigError where the variable is no amount.
 */
export function memoryLimit(): number | undefined {
  const given = process.env["DIPTYCH_MEMORY_LIMIT"];
  if (given === undefined || given === "") {
    const allowed = process.constrainedMemory();
    return Math.min(totalmem(), allowed > 0 ? allowed : Infinity);
  }
  if (given.toLowerCase() === "none") return undefined;
  const bytes = parseBytes(given);
  if (bytes !== undefined) return bytes;
  throw new ConfigError(
    `diptych/train: DIPTYCH_MEMORY_LIMIT: expected an amount such as 48GB, or none, got "${given}". Correct it or unset it.`,
  );
}

export interface CheckMemoryOptions {
  /** Bytes; undefined for no limit. */
  readonly limit: number | undefined;
  readonly batchSize: number;
  readonly rematerialise: boolean;
  readonly prefetch: number;
}

/** @throws TrainingError where the step cannot fit, with the estimate and what to lower. */
export function checkStepMemory(memory: StepMemory, options: CheckMemoryOptions): void {
  const { limit } = options;
  if (limit === undefined || memory.total <= limit) return;
  const { state, gradients, activations, batches, teachers, total } = memory;
  const taught = teachers > 0 ? `, teachers ${formatBytes(teachers)}` : "";
  throw new TrainingError(
    `diptych/train: memory: expected a step that fits into ${formatBytes(limit)}, got one of about ${formatBytes(total)}: parameters and optimizer ${formatBytes(state)}, gradients ${formatBytes(gradients)}, activations ${formatBytes(activations)}, batches ${formatBytes(batches)}${taught}. ${advice(memory, limit, options)} DIPTYCH_MEMORY_LIMIT=48GB sets another limit, DIPTYCH_MEMORY_LIMIT=none turns this check off; --tiny runs the config's own small version where it has one.`,
  );
}

/**
 * What a process took over the estimate: RN50 with rematerialisation on ONNX Runtime, 5.6 GB for 3.3 at batch 16 and
 * 7.9 GB for 5.0 at batch 32. The refusal goes by the estimate alone; advice should hold.
 */
const RUNTIME_FACTOR = 1.7;

function advice(
  { state, gradients, activations, batches, teachers }: StepMemory,
  limit: number,
  { batchSize, rematerialise, prefetch }: CheckMemoryOptions,
): string {
  const share = (limit / RUNTIME_FACTOR - state - gradients - teachers) / (activations + batches);
  const fits = Math.floor(batchSize * share);
  if (fits < 1) {
    return "The model alone does not fit at any batch size: choose a smaller model, or a machine with more memory.";
  }
  const others = [
    ...(rematerialise ? [] : ["set training.rematerialise=true"]),
    ...(prefetch > 1 ? ["set data.prefetch=1"] : []),
  ];
  const list =
    others.length > 0 ? ` (now ${batchSize}), ${others.join(", ")}` : ` (now ${batchSize})`;
  return `Lower training.batchSize to ${fits} or less${list}.`;
}
