import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import {
  CheckpointError,
  createHostArray,
  createHostTensor,
  elementCount,
  hostBytes,
  hostTensorFrom,
  type CheckpointContent,
  type CheckpointFormat,
  type CheckpointReader,
  type DType,
  type HostTensor,
  type WritableCheckpointFormat,
} from "@diptych/core";
import { describe, it } from "vitest";
import { expectFaultsFound } from "../failing-checks.test-support.js";
import { checkpointFormatChecks, describeCheckpointFormatContract } from "./checkpoint-format.js";

const MARK = "PLAIN1\n";

interface Stored {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: readonly { name: string; dtype: DType; shape: number[]; bytes: string }[];
}

const encode = ({ tensors, metadata }: CheckpointContent): string => {
  const stored = [...tensors].map(([name, tensor]) => ({
    name,
    dtype: tensor.dtype,
    shape: tensor.shape,
    bytes: Buffer.from(hostBytes(tensor)).toString("base64"),
  }));
  return MARK + JSON.stringify({ metadata, tensors: stored });
};

function decode(bytes: string, dtype: DType, shape: readonly number[]): HostTensor {
  const tensor = createHostTensor(dtype, shape, createHostArray(dtype, elementCount(shape)));
  hostBytes(tensor).set(Buffer.from(bytes, "base64"));
  return tensor;
}

async function open(path: string): Promise<CheckpointReader> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CheckpointError(`plain/open: ${path}: expected a file.`, { cause });
  });
  if (!text.startsWith(MARK)) throw new CheckpointError(`plain/open: ${path}: expected its mark.`);
  const stored = parse(text, path);
  return {
    path,
    metadata: stored.metadata,
    entries: stored.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    read: async (name) => {
      const found = stored.tensors.find((tensor) => tensor.name === name);
      if (!found) throw new CheckpointError(`plain/read: ${name}: expected a tensor of the file.`);
      return decode(found.bytes, found.dtype, found.shape);
    },
    close: async () => undefined,
  };
}

function parse(text: string, path: string): Stored {
  try {
    return JSON.parse(text.slice(MARK.length)) as Stored;
  } catch (cause) {
    throw new CheckpointError(`plain/open: ${path}: expected JSON.`, { cause });
  }
}

/** Everything in one text file. */
const plain: WritableCheckpointFormat = {
  name: "plain",
  detect: async (path) => (await readFile(path, "utf8").catch(() => "")).startsWith(MARK),
  open,
  write: async (path, content) => {
    await writeFile(`${path}.tmp`, encode(content));
    await rename(`${path}.tmp`, path);
  },
};

describeCheckpointFormatContract({ name: "plain", create: () => plain });

describe("the suite", () => {
  const broken = (change: Partial<CheckpointFormat>) => ({
    name: "broken",
    create: () => ({ ...plain, ...change }),
  });
  const reading = (
    change: (read: (name: string) => Promise<HostTensor>) => Partial<CheckpointReader>,
  ) =>
    broken({
      open: async (path) => {
        const reader = await open(path);
        return { ...reader, ...change((name) => reader.read(name)) };
      },
    });

  it("finds every fault", async () => {
    const kept = new Map<string, HostTensor>();
    await expectFaultsFound(checkpointFormatChecks, [
      [
        "values that are rounded",
        reading((read) => ({
          read: async (name) => {
            const t = await read(name);
            return t.dtype === "float32"
              ? hostTensorFrom("float32", t.shape, t.data.map(Math.round))
              : t;
          },
        })),
        /gives back/,
      ],
      ["metadata that is lost", reading(() => ({ metadata: {} })), /gives back/],
      [
        "one array for all readers",
        reading((read) => ({
          read: async (name) => {
            const t = kept.get(name) ?? (await read(name));
            kept.set(name, t);
            return t;
          },
        })),
        /of its own/,
      ],
      [
        "recognising anything",
        broken({ detect: async (path) => (await stat(path).catch(() => undefined)) !== undefined }),
        /recognises/,
      ],
      [
        "adding to what was there",
        broken({
          write: async (path, content) => {
            const before = await open(path).catch(() => undefined);
            const old = before
              ? await Promise.all(
                  before.entries.map(async ({ name }) => [name, await before.read(name)] as const),
                )
              : [];
            await plain.write(path, { ...content, tensors: [...old, ...content.tensors] });
          },
        }),
        /writes over/,
      ],
      [
        "files left beside",
        broken({
          write: async (path, content) => {
            await plain.write(path, content);
            await writeFile(`${path}.tmp`, "");
          },
        }),
        /writes over/,
      ],
      [
        "zeros for an unknown tensor",
        reading((read) => ({
          read: (name) => read(name).catch(() => hostTensorFrom("float32", [1], [0])),
        })),
        /unknown tensor/,
      ],
      [
        "an error of another kind on damage",
        broken({
          open: (path) =>
            open(path).catch((error: unknown) => {
              throw new TypeError(String(error));
            }),
        }),
        /cut short/,
      ],
      [
        "an empty checkpoint for a file of something else",
        broken({
          open: (path) =>
            open(path).catch(() => ({
              path,
              metadata: {},
              entries: [],
              read: async () => hostTensorFrom("float32", [], [0]),
              close: async () => undefined,
            })),
        }),
        /something else/,
      ],
      [
        "a write in place",
        broken({
          write: async (path, content) => {
            await rm(path, { force: true });
            await writeFile(path, MARK);
            await writeFile(path, encode(content));
          },
        }),
        /fails midway/,
      ],
    ]);
  });
});
