/** Where each input of a run is read and each output is written. */
import {
  BackendError,
  evaluateShape,
  hostBytes,
  typeOf,
  type DimBinding,
  type DType,
  type Feed,
  type Graph,
  type HostTensor,
  type DeviceTensor,
} from "@diptych/core";
import type { Donations } from "@diptych/core/backend";
import { checkSameType, OnnxDeviceTensor, type LiveTensors } from "./device-tensor.js";
import type { Feeds } from "./feeds.js";
import type { InPlaceCheck } from "./in-place.js";
import type { OrtRuntime, OrtTensor } from "./runtime/ort-runtime.js";

/** What a plan is made from, the same for each run of an executable. */
export interface RunSurroundings {
  readonly graph: Graph;
  readonly runtime: OrtRuntime;
  readonly live: LiveTensors;
  readonly donations: Donations;
  /** Whether an output may be written into an input's memory, by the graph's names. */
  readonly inPlace: InPlaceCheck;
}

/** One output of a run. */
export interface PlannedOutput {
  readonly name: string;
  readonly dtype: DType;
  readonly memory: OrtTensor;
  /** Whether the memory was taken for this run and must be given back when it fails. */
  readonly fresh: boolean;
  /** The tensor in which the caller wants the result. */
  readonly into: OnnxDeviceTensor | undefined;
}

/** A fed tensor that the run uses up. */
export interface SpentTensor {
  readonly tensor: OnnxDeviceTensor;
  readonly memory: OrtTensor;
  /** Whether an output lives on in its memory. */
  readonly kept: boolean;
}

export interface PlannedRun {
  readonly inputs: ReadonlyMap<string, OrtTensor>;
  readonly outputs: readonly PlannedOutput[];
  readonly spent: readonly SpentTensor[];
  /** Whether some output is written into an input's memory. */
  readonly updates: boolean;
}

export type Into = Readonly<Record<string, DeviceTensor>>;

function isHost(feed: Feed): feed is HostTensor {
  return "data" in feed;
}

/** The tensor as one of this backend. @throws BackendError on another backend's. */
function ownTensor(tensor: DeviceTensor, live: LiveTensors, what: string): OnnxDeviceTensor {
  if (tensor instanceof OnnxDeviceTensor && tensor.isOf(live)) return tensor;
  throw new BackendError(
    `backend-onnx/run: ${what}: expected a tensor of this backend, got one of another. Read it and upload it here.`,
  );
}

/** Copies of the host feeds in host memory of the runtime's, by input. */
export function stageFeeds(feeds: Feeds, runtime: OrtRuntime): ReadonlyMap<string, OrtTensor> {
  const staged = new Map<string, OrtTensor>();
  for (const [name, feed] of Object.entries(feeds)) {
    if (!isHost(feed)) continue;
    // A device gets it when the run binds it: no copy of its own is made there before.
    const memory = runtime.allocate(feed.dtype, feed.shape, "host");
    memory.view().set(hostBytes(feed));
    staged.set(name, memory);
  }
  return staged;
}

/** The device tensors that a run reads or writes. */
export function involvedTensors(feeds: Feeds, into: Into): readonly OnnxDeviceTensor[] {
  const given = [...Object.values(feeds), ...Object.values(into)];
  return given.filter((tensor) => tensor instanceof OnnxDeviceTensor);
}

/** Takes memory for the outputs. @throws BackendError on tensors that are spent, of another backend, or of another type. */
export function planRun(
  { feeds, into, staged }: { feeds: Feeds; into: Into; staged: ReadonlyMap<string, OrtTensor> },
  binding: DimBinding,
  surroundings: RunSurroundings,
): PlannedRun {
  const { graph, runtime, live, donations } = surroundings;
  const fed = fedTensors(feeds, live);
  const targets = checkInto(into, { graph, live, binding });
  const inputs = new Map(staged);
  for (const [name, tensor] of fed) inputs.set(name, tensor.memory(`input "${name}"`));
  const readers = readersByMemory(inputs);
  const outputs = Object.entries(graph.outputs).map(([name, value]): PlannedOutput => {
    const { dtype, shape } = typeOf(value);
    const target = targets.get(name);
    const memory = target ? target.memory(`output "${name}"`) : donatedMemory(name, fed, donations);
    const usable = memory && mayWrite(readers.get(memory) ?? [], name, surroundings);
    return {
      name,
      dtype,
      memory: usable ? memory : runtime.allocate(dtype, evaluateShape(shape, binding)),
      fresh: !usable,
      into: target,
    };
  });
  return {
    inputs,
    outputs,
    spent: spentTensors({ fed, donations, targets: [...targets.values()], outputs }),
    updates: outputs.some(({ memory }) => readers.has(memory)),
  };
}

function fedTensors(feeds: Feeds, live: LiveTensors): ReadonlyMap<string, OnnxDeviceTensor> {
  const fed = new Map<string, OnnxDeviceTensor>();
  for (const [name, feed] of Object.entries(feeds)) {
    if (!isHost(feed)) fed.set(name, ownTensor(feed, live, `input "${name}"`));
  }
  return fed;
}

function checkInto(
  into: Into,
  { graph, live, binding }: { graph: Graph; live: LiveTensors; binding: DimBinding },
): ReadonlyMap<string, OnnxDeviceTensor> {
  const targets = new Map<string, OnnxDeviceTensor>();
  for (const [name, given] of Object.entries(into)) {
    const value = graph.outputs[name];
    if (!value) {
      throw new BackendError(
        `backend-onnx/run: into: expected outputs of the graph (${Object.keys(graph.outputs).join(", ")}), got "${name}".`,
      );
    }
    const target = ownTensor(given, live, `into "${name}"`);
    const { dtype, shape } = typeOf(value);
    checkSameType(`run: into "${name}"`, { dtype, shape: evaluateShape(shape, binding) }, target);
    if ([...targets.values()].includes(target)) {
      throw new BackendError(
        `backend-onnx/run: into "${name}": expected a tensor of its own, got one that another output is written into.`,
      );
    }
    targets.set(name, target);
  }
  return targets;
}

function donatedMemory(
  output: string,
  fed: ReadonlyMap<string, OnnxDeviceTensor>,
  donations: Donations,
): OrtTensor | undefined {
  const input = donations.get(output);
  return input === undefined ? undefined : fed.get(input)?.memory(`input "${input}"`);
}

/** Names of the inputs that are read from each memory. */
function readersByMemory(
  inputs: ReadonlyMap<string, OrtTensor>,
): ReadonlyMap<OrtTensor, readonly string[]> {
  const readers = new Map<OrtTensor, string[]>();
  for (const [name, memory] of inputs) {
    const names = readers.get(memory);
    if (names) names.push(name);
    else readers.set(memory, [name]);
  }
  return readers;
}

/** Whether an output may go to memory with these readers: nothing reads it, or one input that the graph is done with in time. */
function mayWrite(
  readers: readonly string[],
  output: string,
  { runtime, inPlace }: RunSurroundings,
): boolean {
  const [reader] = readers;
  if (reader === undefined) return true;
  return readers.length === 1 && runtime.donation && inPlace(reader, output);
}

function spentTensors({
  fed,
  donations,
  targets,
  outputs,
}: {
  fed: ReadonlyMap<string, OnnxDeviceTensor>;
  donations: Donations;
  targets: readonly OnnxDeviceTensor[];
  outputs: readonly PlannedOutput[];
}): readonly SpentTensor[] {
  const written = new Set(outputs.filter(({ fresh }) => !fresh).map(({ memory }) => memory));
  const donated = new Set([...donations.values()].map((input) => fed.get(input)));
  return [...donated].flatMap((tensor) => {
    // What the caller wants a result in stays theirs.
    if (!tensor || targets.includes(tensor)) return [];
    const memory = tensor.memory("donated input");
    return [{ tensor, memory, kept: written.has(memory) }];
  });
}
