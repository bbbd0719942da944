/** Restoring: what a checkpoint holds against what a model declares, as one full list of differences. */
import {
  CheckpointError,
  type CheckpointReader,
  type HostTensor,
  type ParameterSpec,
} from "@diptych/core";

export interface LoadOptions {
  /** Names (globs with `*`) that may be absent; they keep the values they have. */
  readonly allowMissing?: readonly string[];
  /** Names (globs) of the checkpoint that are left unread, e.g. an optimizer's state. */
  readonly ignore?: readonly string[];
}

export interface LoadedParameters {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Declared names that the checkpoint did not hold (all allowed). */
  readonly missing: readonly string[];
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
 * @throws CheckpointError listing all names that are missing, unexpected, or of another shape.
 */
export async function loadParameters(
  reader: CheckpointReader,
  specs: readonly ParameterSpec[],
  { allowMissing = [], ignore = [] }: LoadOptions = {},
): Promise<LoadedParameters> {
  const mayMiss = matcher(allowMissing);
  const ignored = matcher(ignore);
  const stored = new Map(reader.entries.filter((e) => !ignored(e.name)).map((e) => [e.name, e]));
  const problems: string[] = [];
  const missing: string[] = [];
  for (const { name, shape } of specs) {
    const entry = stored.get(name);
    const wanted = `[${shape.join(", ")}]`;
    if (!entry) {
      if (mayMiss(name)) missing.push(name);
      else problems.push(`missing     ${name} ${wanted}`);
    } else if (!sameShape(entry.shape, shape)) {
      problems.push(
        `other shape ${name}: the model has ${wanted}, the checkpoint [${entry.shape.join(", ")}]`,
      );
    }
    stored.delete(name);
  }
  for (const entry of stored.values())
    problems.push(`unexpected  ${entry.name} [${entry.shape.join(", ")}]`);
  if (problems.length > 0) {
    throw new CheckpointError(
      `checkpoints/loadParameters: ${reader.path}: expected the ${specs.length} tensors of this model, got ${problems.length} that do not fit:\n${problems.map((line) => `  ${line}`).join("\n")}\nLoad it into the model that it was made with, or allow what may be missing by pattern.`,
    );
  }
  const tensors = new Map<string, HostTensor>();
  for (const { name, shape } of specs) {
    if (!missing.includes(name))
      tensors.set(name, asFloat32(reader.path, name, shape, await reader.read(name)));
  }
  return { tensors, missing };
}

/** A scalar is [] here and sometimes [1] in files. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length === b.length) return a.every((size, i) => size === b[i]);
  const entries = (shape: readonly number[]): number =>
    shape.reduce((product, size) => product * size, 1);
  return entries(a) === 1 && entries(b) === 1 && a.length + b.length === 1;
}

function asFloat32(
  path: string,
  name: string,
  shape: readonly number[],
  tensor: HostTensor,
): HostTensor {
  if (tensor.dtype === "float32") return Object.freeze({ ...tensor, shape });
  if (tensor.dtype === "int32") {
    return Object.freeze({ dtype: "float32", shape, data: Float32Array.from(tensor.data) });
  }
  throw new CheckpointError(
    `checkpoints/loadParameters: ${path}: "${name}": expected numbers, got ${tensor.dtype}.`,
  );
}
