/**
 * The globals that PyTorch's pickles may name, as data: storages, the functions that put tensors together, and
 * containers. Nothing is imported, whatever a pickle names; anything else is refused by its name.
 */
import { CheckpointError } from "@diptych/core";
import type { StoredDtype } from "../bytes/element-types.js";
import type { PickleHost } from "../pickle/unpickle.js";
import {
  isTorchRecord,
  rebuildTensor,
  type TorchRecord,
  type TorchStorage,
} from "./torch-values.js";

/** A class of storages. */
interface StorageType {
  readonly kind: "storage";
  readonly dtype: StoredDtype;
}
/** A function that gives plain data. */
interface PlainFunction {
  readonly kind: "function";
  readonly call: (path: string, args: readonly unknown[]) => unknown;
}
/** A TorchScript class: its objects become records. */
interface RecordType {
  readonly kind: "record";
  readonly name: string;
}
/** A name that stands for itself, e.g. `torch.float16`. */
interface Marker {
  readonly kind: "marker";
  readonly name: string;
}
type TorchGlobal = StorageType | PlainFunction | RecordType | Marker;

const STORAGES: Readonly<Record<string, StoredDtype>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};

const first: PlainFunction["call"] = (_, [value]) => value;
const items: PlainFunction["call"] = (_, [values]) =>
  Array.isArray(values) ? [...(values as unknown[])] : [];

function orderedDict(path: string, args: readonly unknown[]): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  const pairs = args.length === 0 ? [] : args[0];
  if (!Array.isArray(pairs)) return pairs instanceof Map ? new Map(pairs) : dict;
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new CheckpointError(`checkpoints/pickle: ${path}: expected pairs of a dict.`);
    }
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

/** `_rebuild_from_type_v2(function, type, args, state)`: a tensor with Python attributes, which are left out. */
function rebuildFromType(path: string, [callable, , args]: readonly unknown[]): unknown {
  const named = callable as TorchGlobal | null;
  if (named?.kind !== "function" || named.call !== rebuildTensor || !Array.isArray(args)) {
    throw new CheckpointError(
      `checkpoints/pickle: ${path}: expected a tensor to rebuild, got something else.`,
    );
  }
  return rebuildTensor(path, args);
}

const FUNCTIONS: Readonly<Record<string, PlainFunction["call"]>> = {
  "torch._utils._rebuild_tensor": rebuildTensor,
  "torch._utils._rebuild_tensor_v2": rebuildTensor,
  "torch._utils._rebuild_parameter": first,
  "torch._utils._rebuild_parameter_with_state": first,
  "torch._tensor._rebuild_from_type_v2": rebuildFromType,
  "torch.Size": items,
  "torch.device": first,
  "torch.jit._pickle.build_intlist": items,
  "torch.jit._pickle.build_doublelist": items,
  "torch.jit._pickle.build_boollist": items,
  "torch.jit._pickle.build_tensorlist": items,
  "torch.jit._pickle.restore_type_tag": first,
  "collections.OrderedDict": orderedDict,
  "collections.Counter": orderedDict,
  "builtins.set": items,
  "builtins.frozenset": items,
  "__builtin__.set": items,
  "__builtin__.frozenset": items,
};

const MARKERS =
  /^torch\.(float16|float32|float64|bfloat16|int8|int16|int32|int64|uint8|bool|half|double|long|strided|Tensor|nn\.parameter\.Parameter)$/;

/** @throws CheckpointError on a name that is not of the list. */
function findGlobal(path: string, module: string, name: string): TorchGlobal {
  const full = `${module}.${name}`;
  const dtype = module === "torch" && Object.hasOwn(STORAGES, name) ? STORAGES[name] : undefined;
  if (dtype) return { kind: "storage", dtype };
  if (Object.hasOwn(FUNCTIONS, full)) return { kind: "function", call: FUNCTIONS[full]! };
  if (module === "__torch__" || module.startsWith("__torch__."))
    return { kind: "record", name: full };
  if (MARKERS.test(full)) return { kind: "marker", name: full };
  throw new CheckpointError(
    `checkpoints/pickle: ${path}: expected tensors and plain containers, got "${full.slice(0, 200)}", which is not run or imported here. If you trust the file, load it in Python and save its state_dict as safetensors.`,
  );
}

/** The storage that a persistent id (`("storage", type, key, location, elements)`) means. */
function loadStorage(path: string, id: unknown): TorchStorage {
  const [tag, type, key, , elements, view] = Array.isArray(id) ? (id as unknown[]) : [];
  const named = type as TorchGlobal | null | undefined;
  const known = tag === "storage" && typeof key === "string" && named?.kind === "storage";
  if (!known || !Number.isSafeInteger(elements) || (elements as number) < 0) {
    throw new CheckpointError(
      `checkpoints/pickle: ${path}: expected a storage of numbers, got something else. The file is damaged.`,
    );
  }
  if (view !== null && view !== undefined) {
    throw new CheckpointError(
      `checkpoints/pickle: ${path}: expected whole storages, got a view of storage "${key}", as PyTorch before 0.4 wrote. Save it again with a later PyTorch.`,
    );
  }
  return Object.freeze({
    kind: "torch-storage",
    key,
    dtype: named.dtype,
    elements: elements as number,
  });
}

function emptyRecord(type: string): TorchRecord {
  return Object.freeze({ kind: "torch-record", type, attributes: new Map() });
}

/** What a pickle of PyTorch's may do. */
export function createTorchHost(path: string): PickleHost {
  const refuse = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/pickle: ${path}: expected tensors and plain containers, got ${what}. The file is damaged.`,
    );
  return {
    findGlobal: (module, name) => findGlobal(path, module, name),
    reduce: (callable, args) => {
      const named = callable as TorchGlobal | null;
      if (named?.kind !== "function") throw refuse("a call of something that is no function");
      return named.call(path, args);
    },
    create: (type) => {
      const named = type as TorchGlobal | null;
      if (named?.kind === "record") return emptyRecord(named.name);
      if (named?.kind === "function" && named.call === orderedDict) return new Map();
      throw refuse("an object of something that is no class");
    },
    build: (object, state) => {
      // Attributes of a dict (a state_dict's _metadata) are no entries of it.
      if (object instanceof Map) return;
      if (!isTorchRecord(object)) throw refuse("a state for something that has none");
      if (state instanceof Map) for (const [key, value] of state) object.attributes.set(key, value);
    },
    persistentLoad: (id) => loadStorage(path, id),
  };
}
