// What torch.save and torch.jit.save would write for plain data and tensors, small, for tests.
import { hostBytes, type DType, type HostTensor } from "@diptych/core";
import { writeZip, type ZipFile } from "../zip/zip-writer.test-support.js";

const STORAGES: Readonly<Record<DType, string>> = {
  float32: "FloatStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int32: "IntStorage",
  bool: "BoolStorage",
};

/** Bytes of pickles of protocol 2. */
export const pickle = {
  start: Buffer.of(0x80, 2),
  stop: Buffer.from("."),
  mark: Buffer.from("("),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  string: (text: string) => {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(5);
    head.write("X", 0);
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  },
  integer: (value: number) => {
    const long = Buffer.alloc(10);
    long.writeUInt8(0x8a, 0);
    long.writeUInt8(8, 1);
    long.writeBigInt64LE(BigInt(value), 2);
    return long;
  },
  tuple: (...items: Buffer[]) => Buffer.concat([pickle.mark, ...items, Buffer.from("t")]),
  dict: (...pairs: Buffer[]) =>
    Buffer.concat([Buffer.from("}"), pickle.mark, ...pairs, Buffer.from("u")]),
  call: (callable: Buffer, ...args: Buffer[]) =>
    Buffer.concat([callable, pickle.tuple(...args), Buffer.from("R")]),
};

export interface StoredView {
  readonly storage: string;
  readonly key: string;
  readonly elements: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A tensor as the pickle says it, true or not. */
export function tensorPickle({
  storage,
  key,
  elements,
  offset = 0,
  shape,
  strides,
}: StoredView): Buffer {
  const { tuple, string, integer, global } = pickle;
  const id = tuple(
    string("storage"),
    global("torch", storage),
    string(key),
    string("cpu"),
    integer(elements),
  );
  return pickle.call(
    global("torch._utils", "_rebuild_tensor_v2"),
    Buffer.concat([id, Buffer.from("Q")]),
    integer(offset),
    tuple(...shape.map(integer)),
    tuple(...strides.map(integer)),
    Buffer.of(0x89),
    pickle.call(global("collections", "OrderedDict")),
  );
}

export function rowMajorStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** Collects storages while data is pickled. */
interface Storages {
  readonly files: ZipFile[];
  readonly root: string;
}

function pickleValue(value: unknown, storages: Storages): Buffer {
  if (typeof value === "string") return pickle.string(value);
  if (typeof value === "number") return pickle.integer(value);
  const { dtype, shape } = value as HostTensor;
  if (typeof dtype === "string") {
    const key = String(storages.files.length);
    storages.files.push({
      name: `${storages.root}/data/${key}`,
      bytes: hostBytes(value as HostTensor),
    });
    const { length: elements } = (value as HostTensor).data;
    return tensorPickle({
      storage: STORAGES[dtype],
      key,
      elements,
      shape,
      strides: rowMajorStrides(shape),
    });
  }
  return pickle.dict(
    ...Object.entries(value as object).flatMap(([key, inner]) => [
      pickle.string(key),
      pickleValue(inner, storages),
    ]),
  );
}

export interface TorchZipOptions {
  readonly root?: string;
  readonly torchScript?: boolean;
}

/** A zip archive of plain data, dicts and tensors, as torch.save writes. */
export function torchZip(
  value: Readonly<Record<string, unknown>>,
  { root = "archive", torchScript = false }: TorchZipOptions = {},
): Buffer {
  const storages: Storages = { files: [], root };
  const body = torchScript ? recordPickle(value, storages) : pickleValue(value, storages);
  return torchZipOf(Buffer.concat([pickle.start, body, pickle.stop]), storages.files, {
    root,
    torchScript,
  });
}

/** An archive around a given pickle. */
export function torchZipOf(
  bytes: Buffer,
  files: readonly ZipFile[] = [],
  { root = "archive", torchScript = false }: TorchZipOptions = {},
): Buffer {
  return writeZip([
    { name: `${root}/data.pkl`, bytes },
    { name: `${root}/byteorder`, bytes: Buffer.from("little") },
    ...files,
    ...(torchScript
      ? [{ name: `${root}/constants.pkl`, bytes: Buffer.from("\x80\x02).", "latin1") }]
      : []),
    { name: `${root}/version`, bytes: Buffer.from("3\n") },
  ]);
}

/** Modules by the paths of tensor names: `a.b.weight` is an attribute of the module `b` in `a`. */
function recordPickle(tensors: Readonly<Record<string, unknown>>, storages: Storages): Buffer {
  const attributes = new Map<string, Record<string, unknown>>();
  const pairs: Buffer[] = [];
  for (const [name, value] of Object.entries(tensors)) {
    const dot = name.indexOf(".");
    if (dot < 0) pairs.push(pickle.string(name), pickleValue(value, storages));
    else {
      const module = attributes.get(name.slice(0, dot)) ?? {};
      module[name.slice(dot + 1)] = value;
      attributes.set(name.slice(0, dot), module);
    }
  }
  for (const [name, inner] of attributes)
    pairs.push(pickle.string(name), recordPickle(inner, storages));
  return Buffer.concat([
    pickle.global("__torch__.model", "Module"),
    Buffer.from(")\x81", "latin1"),
    pickle.dict(...pairs),
    Buffer.from("b"),
  ]);
}
