/** Restoring: what a checkpoint holds against what a model declares, as one full list of differences. */
import {
  CheckpointError,
  createHostTensor,
  type CheckpointReader,
  type HostTensor,
  type ParameterSpec,
  type TensorEntry,
} from "@diptych/core";
import { canResizePositions, resizePositions } from "./resize-positions.js";

export interface LoadOptions {
  /** Names (globs with `*`) that may be absent; they keep the values they have. */
  readonly allowMissing?: readonly string[];
  /** Names (globs) of the checkpoint that are left unread, e.g. an optimizer's state. */
  readonly ignore?: readonly string[];
  /**
   * Resizes position embeddings that were made for another resolution or text length, as open_clip does; `imageGrid`
   * says the model's grid of patches [rows, columns] where it is not square.
   */
  readonly resizePositions?: boolean | { readonly imageGrid?: readonly [number, number] };
  /** Names whose values are read; all by default. What is declared and what is stored are compared as wholes in any case. */
  readonly only?: ReadonlySet<string>;
}

export interface LoadedParameters {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Declared names that the checkpoint did not hold (all allowed). */
  readonly missing: readonly string[];
  /** Position embeddings that were resized. */
  readonly resized: readonly string[];
}

function matcher(globs: readonly string[]): (name: string) => boolean {
  const patterns = globs.map(
    (glob) => new RegExp(`^${glob.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}$`),
  );
  return (name) => patterns.some((pattern) => pattern.test(name));
}

/**
 * Reads every parameter that `specs` declare, as float32.
 *
 * @throws CheckpointError listing all names that are missing, unexpected, of another shape, or whose numbers are no
 * floats; and naming a weight with values that are not finite.
 */
export async function loadParameters(
  reader: CheckpointReader,
  specs: readonly ParameterSpec[],
  options: LoadOptions = {},
): Promise<LoadedParameters> {
  const { problems, missing, resized } = compare(reader, specs, options);
  if (problems.length > 0) {
    throw new CheckpointError(
      `checkpoints/loadParameters: ${reader.path}: expected the ${specs.length} tensors of this model, got ${problems.length} that do not fit:\n${problems.map((line) => `  ${line}`).join("\n")}\nLoad it into the model that it was made with, or allow what may be missing by pattern.`,
    );
  }
  const absent = new Set(missing);
  const toResize = new Set(resized);
  const { imageGrid } = typeof options.resizePositions === "object" ? options.resizePositions : {};
  const tensors = new Map<string, HostTensor>();
  for (const { name, shape } of specs) {
    if (absent.has(name) || options.only?.has(name) === false) continue;
    const read = asFloat32(reader.path, name, await reader.read(name));
    checkFinite(reader.path, name, read);
    const target = { name, shape, ...(imageGrid ? { imageGrid } : {}) };
    const value = toResize.has(name) ? resizePositions(read, target) : read;
    tensors.set(name, Object.freeze({ ...value, shape }));
  }
  return { tensors, missing, resized };
}

interface Comparison {
  readonly problems: readonly string[];
  readonly missing: readonly string[];
  readonly resized: readonly string[];
}

/** Differences between what is stored and what is declared, one line each; nothing is read. */
function compare(
  reader: CheckpointReader,
  specs: readonly ParameterSpec[],
  { allowMissing = [], ignore = [], resizePositions: resize = false }: LoadOptions,
): Comparison {
  const mayMiss = matcher(allowMissing);
  const ignored = matcher(ignore);
  const stored = new Map(reader.entries.filter((e) => !ignored(e.name)).map((e) => [e.name, e]));
  const problems: string[] = [];
  const missing: string[] = [];
  const resized: string[] = [];
  for (const spec of specs) {
    const { name, shape } = spec;
    const entry = stored.get(name);
    const wanted = `[${shape.join(", ")}]`;
    stored.delete(name);
    if (!entry) {
      if (mayMiss(name)) missing.push(name);
      else problems.push(`missing     ${name} ${wanted}`);
    } else if (!hasNumbersOf(spec, entry)) {
      problems.push(`other dtype ${name}: the model has floats, the checkpoint ${entry.dtype}`);
    } else if (!sameShape(entry.shape, shape)) {
      if (resize !== false && canResizePositions(name, entry.shape, shape)) resized.push(name);
      else
        problems.push(
          `other shape ${name}: the model has ${wanted}, the checkpoint [${entry.shape.join(", ")}]`,
        );
    }
  }
  for (const entry of stored.values())
    problems.push(`unexpected  ${entry.name} [${entry.shape.join(", ")}]`);
  return { problems, missing, resized };
}

/** Weights are floats; buffers may count in integers, as BatchNorm's do. */
function hasNumbersOf({ role }: ParameterSpec, { dtype }: TensorEntry): boolean {
  const isFloat = dtype.startsWith("float") || dtype === "bfloat16";
  return isFloat || (role === "buffer" && dtype !== "bool");
}

/** A scalar is [] here and sometimes [1] in files. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length === b.length) return a.every((size, i) => size === b[i]);
  const entries = (shape: readonly number[]): number =>
    shape.reduce((product, size) => product * size, 1);
  return entries(a) === 1 && entries(b) === 1 && a.length + b.length === 1;
}

function asFloat32(path: string, name: string, tensor: HostTensor): HostTensor<"float32"> {
  if (tensor.dtype === "float32") return tensor as HostTensor<"float32">;
  if (tensor.dtype === "int32") {
    return createHostTensor("float32", tensor.shape, Float32Array.from(tensor.data));
  }
  throw new CheckpointError(
    `checkpoints/loadParameters: ${path}: "${name}": expected numbers, got ${tensor.dtype}.`,
  );
}

const EXPONENT = 0x7f800000;

/** @throws CheckpointError where a value is NaN or infinite: both have all bits of the exponent set. */
function checkFinite(path: string, name: string, { data }: HostTensor<"float32">): void {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & EXPONENT) !== EXPONENT) continue;
    throw new CheckpointError(
      `checkpoints/loadParameters: ${path}: "${name}": expected finite weights, got ${data[i]} at ${i}. The model was saved after its training failed: take an earlier checkpoint.`,
    );
  }
}
