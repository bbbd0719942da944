/** The state dict inside what PyTorch saved: the tensors of a module, a training checkpoint or a plain dict, by name. */
import { CheckpointError } from "@diptych/core";
import {
  isTorchRecord,
  isTorchTensor,
  type TorchRecord,
  type TorchTensor,
} from "./torch-values.js";

export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Numbers, strings and booleans that lay beside the tensors, e.g. the epoch. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Keys under which training programs keep the model, in the order in which they are tried. */
const MODEL_KEYS = ["state_dict", "model_state_dict", "model"];
/** Prefixes that wrappers (data parallel, torch.compile) put before every name. */
const WRAPPERS = ["module.", "_orig_mod."];
const MAX_DEPTH = 64;
const MAX_TENSORS = 100_000;

/** @throws CheckpointError where no tensors are found. */
export function findStateDict(path: string, value: unknown): StateDict {
  if (isTorchRecord(value)) return { tensors: recordTensors(path, value), metadata: {} };
  const root = value instanceof Map ? (value as ReadonlyMap<unknown, unknown>) : new Map();
  const key = MODEL_KEYS.find((name) => dictTensors(root.get(name)).size > 0);
  const found = dictTensors(key === undefined ? root : root.get(key));
  if (found.size === 0) {
    throw new CheckpointError(
      `checkpoints/torch: ${path}: expected a state dict (or one under ${MODEL_KEYS.join(", ")}), got ${describe(value)}. Save the model's state_dict() by itself.`,
    );
  }
  const [prefix, tensors] = unwrapped(found);
  const container = {
    ...(key === undefined ? {} : { key }),
    ...(prefix === "" ? {} : { prefix }),
  };
  return { tensors, metadata: { ...plainEntries(root), ...container } };
}

function describe(value: unknown): string {
  if (value instanceof Map) {
    const keys = [...value.keys()].filter((key) => typeof key === "string");
    return `a dict of ${value.size} other entries (${keys.slice(0, 8).join(", ").slice(0, 200)})`;
  }
  if (isTorchTensor(value)) return "one tensor without a name";
  return Array.isArray(value) ? "a list" : typeof value;
}

function dictTensors(value: unknown): ReadonlyMap<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  if (!(value instanceof Map)) return tensors;
  for (const [name, tensor] of value)
    if (typeof name === "string" && isTorchTensor(tensor)) tensors.set(name, tensor);
  return tensors;
}

function plainEntries(root: ReadonlyMap<unknown, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    [...root].flatMap(([key, value]) => {
      const isPlain = ["number", "string", "boolean"].includes(typeof value);
      return typeof key === "string" && isPlain ? [[key, value]] : [];
    }),
  );
}

/** Without the prefixes that all names share. */
function unwrapped(
  tensors: ReadonlyMap<string, TorchTensor>,
): [prefix: string, tensors: ReadonlyMap<string, TorchTensor>] {
  let prefix = "";
  const names = [...tensors.keys()];
  for (;;) {
    const wrapper = WRAPPERS.find((each) => names.every((name) => name.startsWith(prefix + each)));
    if (wrapper === undefined) break;
    prefix += wrapper;
  }
  if (prefix === "") return [prefix, tensors];
  return [
    prefix,
    new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor])),
  ];
}

/** Tensors of a module by the path of their attributes, as its state_dict() would name them. */
function recordTensors(path: string, root: TorchRecord): ReadonlyMap<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  const refuse = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/torch: ${path}: expected a tree of modules, got ${what}. The file is damaged.`,
    );
  let visits = 0;
  const open: { record: TorchRecord; prefix: string; depth: number }[] = [
    { record: root, prefix: "", depth: 0 },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > MAX_DEPTH) throw refuse(`modules more than ${MAX_DEPTH} deep`);
    const nested: typeof open = [];
    for (const [key, value] of next.record.attributes) {
      if (++visits > MAX_TENSORS) throw refuse(`more than ${MAX_TENSORS} attributes`);
      const name = `${next.prefix}${String(key)}`;
      if (isTorchTensor(value)) tensors.set(name, value);
      else if (isTorchRecord(value))
        nested.push({ record: value, prefix: `${name}.`, depth: next.depth + 1 });
    }
    // Last in, first out: the order of the attributes stays.
    open.push(...nested.reverse());
  }
  if (tensors.size === 0) throw refuse("one without tensors");
  return tensors;
}
