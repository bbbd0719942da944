/** What every checkpoint format promises: what was written comes back, damage is noticed, and a failed write leaves what was there. */
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRandom,
  hostTensorFrom,
  hostValues,
  isDiptychError,
  type CheckpointContent,
  type CheckpointFormat,
  type HostTensor,
} from "@diptych/core";
import { describe, expect } from "vitest";
import { registerChecks, type ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";

export interface CheckpointFormatContractOptions {
  readonly name: string;
  readonly create: () => CheckpointFormat;
  /** File or folder name that the format is at home with, e.g. `a.safetensors`; `checkpoint` by default. */
  readonly fileName?: string;
  /** Metadata that the format keeps; some nested plain data by default. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** How a checkpoint of a format that is only read comes to be; the format's own `write` by default. */
  readonly write?: (path: string, content: CheckpointContent) => Promise<void>;
}

const TENSORS: Readonly<Record<string, HostTensor>> = {
  "visual.proj": hostTensorFrom("float32", [2, 3], [1, -2, 3.5, 0, 1e-30, -3e38]),
  logit_scale: hostTensorFrom("float32", [], [2.6592]),
  "positions/ids": hostTensorFrom("int32", [3], [-1, 0, 2 ** 31 - 1]),
  mask: hostTensorFrom("bool", [2, 2], [1, 0, 0, 1]),
  empty: hostTensorFrom("float32", [0, 4], []),
  half: hostTensorFrom("float16", [2], [0.5, -65504]),
  brain: hostTensorFrom("bfloat16", [2], [1.5, 3e38]),
  large: hostTensorFrom(
    "float32",
    [100, 50],
    Float64Array.from({ length: 5000 }, (_, i) => Math.sin(i)),
  ),
};

const METADATA = { step: 12, nested: { list: [1, "two", null], yes: true } };

interface Place {
  readonly format: CheckpointFormat;
  readonly folder: string;
  readonly path: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly write: (tensors?: Iterable<readonly [string, HostTensor]>) => Promise<void>;
}

/** Runs `work` with a folder of its own, removed afterwards. */
const inFolder =
  (work: (place: Place) => Promise<void>) =>
  async ({
    create,
    fileName = "checkpoint",
    metadata = METADATA,
    write: writeOtherwise,
  }: CheckpointFormatContractOptions): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), "diptych-format-"));
    const format = create();
    const path = join(folder, fileName);
    const write: Place["write"] = async (tensors = Object.entries(TENSORS)) => {
      const content = { tensors, metadata };
      if (writeOtherwise) return writeOtherwise(path, content);
      if (format.write) return format.write(path, content);
      throw new Error(`${format.name} only reads: say by "write" how its checkpoints come to be.`);
    };
    try {
      await work({ format, folder, path, metadata, write });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

const refused = (error: unknown): boolean => isDiptychError(error, "CHECKPOINT");

/** Opens and reads everything: damage may show at either. */
async function readEverything({ format, path }: Place): Promise<Record<string, HostTensor>> {
  const reader = await format.open(path);
  try {
    const read: Record<string, HostTensor> = {};
    for (const { name } of reader.entries) read[name] = await reader.read(name);
    return read;
  } finally {
    await reader.close();
  }
}

async function expectAll(place: Place, tensors = TENSORS): Promise<void> {
  const read = await readEverything(place);
  expect(Object.keys(read).sort()).toEqual(Object.keys(tensors).sort());
  for (const [name, tensor] of Object.entries(tensors)) {
    expect(read[name]!.shape, `shape of ${name}`).toEqual(tensor.shape);
    // Readers may widen 16-bit floats; the numbers stay.
    const widened = tensor.dtype === "float16" || tensor.dtype === "bfloat16";
    expect(read[name]!.dtype, `dtype of ${name}`).toBe(widened ? read[name]!.dtype : tensor.dtype);
    expectClose(hostValues(read[name]!), hostValues(tensor), { relativeToLargest: 0, what: name });
  }
}

/** The largest file at or below a path. */
async function largestFile(path: string): Promise<string> {
  const status = await stat(path);
  if (status.isFile()) return path;
  const names = await readdir(path, { recursive: true });
  const sizes = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(path, name));
      return { file: join(path, name), size: found.isFile() ? found.size : -1 };
    }),
  );
  return sizes.reduce((a, b) => (b.size > a.size ? b : a)).file;
}

const roundTrips: readonly ContractCheck<CheckpointFormatContractOptions>[] = [
  {
    name: "gives back tensors of each dtype, scalars and empty ones, with their metadata",
    run: inFolder(async (place) => {
      await place.write();
      await expectAll(place);
      const reader = await place.format.open(place.path);
      expect(reader.metadata).toMatchObject(place.metadata);
      for (const { name, shape } of reader.entries)
        expect(shape, name).toEqual(TENSORS[name]!.shape);
      await reader.close();
    }),
  },
  {
    name: "gives a tensor of its own at each reading",
    run: inFolder(async (place) => {
      await place.write();
      const reader = await place.format.open(place.path);
      const first = await reader.read("logit_scale");
      first.data.fill(0);
      expectClose(await reader.read("logit_scale"), TENSORS["logit_scale"]!, {
        relativeToLargest: 0,
      });
      await reader.close();
    }),
  },
  {
    name: "recognises its own files and nothing else",
    run: inFolder(async ({ format, path, folder, write }) => {
      expect(await format.detect(path), "before anything is there").toBe(false);
      await write();
      expect(await format.detect(path), "what it wrote").toBe(true);
      const other = join(folder, "notes.txt");
      await writeFile(other, "nothing of the kind");
      expect(await format.detect(other), "a text file").toBe(false);
    }),
  },
  {
    name: "writes over what was there, and leaves nothing beside it",
    run: inFolder(async (place) => {
      await place.write();
      const second = { only: hostTensorFrom("float32", [2], [createRandom(1).next(), 2]) };
      await place.write(Object.entries(second));
      await expectAll(place, second);
      expect(await readdir(place.folder)).toHaveLength(1);
    }),
  },
];

const damages: readonly ContractCheck<CheckpointFormatContractOptions>[] = [
  {
    name: "refuses an unknown tensor",
    run: inFolder(async ({ format, path, write }) => {
      await write();
      const reader = await format.open(path);
      await expect(reader.read("no.such.tensor")).rejects.toSatisfy(refused);
      await reader.close();
    }),
  },
  {
    name: "notices a file that is cut short, by a little or by nearly all",
    run: inFolder(async (place) => {
      await place.write();
      const file = await largestFile(place.path);
      const { size } = await stat(file);
      for (const left of [size - 3, Math.floor(size / 2), 5, 0]) {
        await truncate(file, left);
        await expect(readEverything(place), `${left} of ${size} bytes`).rejects.toSatisfy(refused);
      }
    }),
  },
  {
    name: "refuses a file of something else, and a path where nothing is",
    run: inFolder(async (place) => {
      await expect(readEverything(place)).rejects.toSatisfy(refused);
      await writeFile(
        place.path,
        "nothing of the kind, but long enough to be read as some header or other",
      );
      await expect(readEverything(place)).rejects.toSatisfy(refused);
    }),
  },
  {
    name: "leaves the last checkpoint when a write fails midway",
    run: inFolder(async (place) => {
      await place.write();
      const broken = new Error("the run was ended");
      const failing = function* (): Iterable<readonly [string, HostTensor]> {
        yield ["first", TENSORS["large"]!];
        throw broken;
      };
      await expect(place.write(failing())).rejects.toThrow();
      await expectAll(place);
      expect(await readdir(place.folder)).toHaveLength(1);
    }),
  },
];

/** The contract of checkpoint formats as checks, for tests of the suite itself. */
export const checkpointFormatChecks: readonly ContractCheck<CheckpointFormatContractOptions>[] = [
  ...roundTrips,
  ...damages,
];

/**
 * Registers the checkpoint format contract's tests; they write into the system's temporary folder.
 *
 * @example
 * describeCheckpointFormatContract({ name: "safetensors", create: () => safetensorsFile, fileName: "a.safetensors" });
 */
export function describeCheckpointFormatContract(options: CheckpointFormatContractOptions): void {
  describe(`checkpoint format contract: ${options.name}`, () =>
    registerChecks(checkpointFormatChecks, () => options));
}
