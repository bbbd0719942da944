import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createHostTensor,
  equalHostTensors,
  hostTensorFrom,
  isDiptychError,
  ones,
  type CheckpointReader,
  type HostTensor,
  type ParameterSpec,
} from "@diptych/core";
import { writeFileAtomically, writeFolderAtomically } from "../atomic-write.js";
import { loadParameters } from "../load-parameters.js";
import { openCheckpoint } from "../open-checkpoint.js";
import { openSafetensors } from "../safetensors/read.js";
import { modelFolder } from "./model-folder.js";
import { openClipFolder } from "./open-clip.js";
import { runState } from "./run-state.js";
import { safetensorsFile } from "./safetensors-file.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-checkpoints-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const tensors = (): [string, HostTensor][] => [
  ["weight", createHostTensor("float32", [2, 3], Float32Array.of(1, -2, 3.5, 0, 1e-30, 7))],
  ["scale", createHostTensor("float32", [], Float32Array.of(2.5))],
  ["ids", createHostTensor("int32", [3], Int32Array.of(-1, 0, 2 ** 31 - 1))],
  ["mask", createHostTensor("bool", [2], Uint8Array.of(1, 0))],
  ["empty", createHostTensor("float32", [0, 4], new Float32Array(0))],
];

async function message(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    expect(isDiptychError(error, "CHECKPOINT")).toBe(true);
    return (error as Error).message;
  }
  throw new Error("expected a failure");
}

describe.each(
  [modelFolder, openClipFolder, runState, safetensorsFile].map(
    (format) => [format.name, format] as const,
  ),
)("%s", (name, format) => {
  const path = (): string => join(folder, name === "safetensors" ? "a.safetensors" : "a");
  const metadata = { step: 12, nested: { list: [1, "x"] } };

  it("gives back what was written, and nothing is left beside it", async () => {
    await format.write(path(), { tensors: tensors(), metadata });
    await format.write(path(), { tensors: tensors(), metadata });
    expect(await readdir(folder)).toHaveLength(1);
    const { format: found, reader } = await openCheckpoint(path());
    expect(found.name).toBe(name);
    expect(reader.metadata).toMatchObject(metadata);
    expect(new Set(reader.entries.map((entry) => entry.name))).toEqual(
      new Set(tensors().map(([key]) => key)),
    );
    for (const [key, tensor] of tensors())
      expect(equalHostTensors(await reader.read(key), tensor), key).toBe(true);
    expect(await message(reader.read("nothing"))).toContain('a tensor "nothing"');
    await reader.close();
  });

  it("says that a file is truncated", async () => {
    await format.write(path(), { tensors: tensors(), metadata });
    const files =
      name === "safetensors" ? [""] : (await readdir(path())).filter((f) => f.endsWith("tensors"));
    const file = join(path(), files[0] ?? "");
    const { length } = await readFile(file);
    await truncate(file, length - 5);
    expect(await message(format.open(path()))).toMatch(
      /expected \d+ bytes as its header says, got \d+.*truncated/,
    );
    await truncate(file, 6);
    expect(await message(format.open(path()))).toContain("6 bytes");
  });
});

describe("safetensors", () => {
  const file = (): string => join(folder, "x.safetensors");
  const raw = async (header: unknown, bytes = 0): Promise<void> => {
    const json = typeof header === "string" ? header : JSON.stringify(header);
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
    await writeFile(file(), Buffer.concat([prefix, Buffer.from(json), Buffer.alloc(bytes)]));
  };

  it.each([
    ["no JSON", "{nothing", 0, /expected JSON/],
    ["a strange dtype", { a: { dtype: "F7", shape: [1], data_offsets: [0, 4] } }, 4, /"a".*got F7/],
    [
      "a size that disagrees",
      { a: { dtype: "F32", shape: [2], data_offsets: [0, 4] } },
      4,
      /expected 8 bytes/,
    ],
    [
      "a negative size",
      { a: { dtype: "F32", shape: [-1], data_offsets: [0, 4] } },
      4,
      /shape of sizes/,
    ],
    [
      "tensors that overlap",
      {
        a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
        b: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      },
      4,
      /expected it at byte/,
    ],
  ])("refuses %s", async (_, header, bytes, expected) => {
    await raw(header, bytes);
    expect(await message(openSafetensors(file()))).toMatch(expected);
  });

  it("refuses a header longer than the file", async () => {
    const prefix = Buffer.alloc(16);
    prefix.writeBigUInt64LE(2n ** 60n);
    await writeFile(file(), prefix);
    expect(await message(openSafetensors(file()))).toContain("a header of");
  });

  it("converts half, bfloat16, double and int64", async () => {
    const header = {
      half: { dtype: "F16", shape: [2], data_offsets: [16, 20] },
      brain: { dtype: "BF16", shape: [1], data_offsets: [20, 22] },
      double: { dtype: "F64", shape: [1], data_offsets: [0, 8] },
      long: { dtype: "I64", shape: [1], data_offsets: [8, 16] },
    };
    const json = JSON.stringify(header);
    const data = Buffer.alloc(8 + 22);
    data.writeBigUInt64LE(BigInt(json.length));
    data.writeDoubleLE(0.5, 8);
    data.writeBigInt64LE(-7n, 16);
    data.writeUInt16LE(0x3c00, 24);
    data.writeUInt16LE(0xc000, 26);
    data.writeUInt16LE(0x4049, 28);
    await writeFile(
      file(),
      Buffer.concat([data.subarray(0, 8), Buffer.from(json), data.subarray(8)]),
    );
    const reader = await openSafetensors(file());
    expect([...(await reader.read("half")).data]).toEqual([1, -2]);
    expect((await reader.read("brain")).data[0]).toBeCloseTo(3.140625);
    expect([...(await reader.read("double")).data]).toEqual([0.5]);
    expect([...(await reader.read("long")).data]).toEqual([-7]);
    await reader.close();
  });

  it("writes BatchNorm's counters as int64 in open_clip's folder", async () => {
    const counter = hostTensorFrom("float32", [], [3]);
    await openClipFolder.write(join(folder, "m"), {
      tensors: [["bn.num_batches_tracked", counter]],
      metadata: {},
    });
    const reader = await openClipFolder.open(join(folder, "m"));
    expect(reader.entries[0]?.dtype).toBe("int64");
    await reader.close();
  });
});

describe("atomic writes", () => {
  const failing = function* (): Iterable<Uint8Array> {
    yield Buffer.from("half of it");
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };

  it("leave the last good file when the disk is full", async () => {
    const path = join(folder, "f");
    await writeFileAtomically(path, [Buffer.from("good")]);
    expect(await message(writeFileAtomically(path, failing()))).toMatch(/ENOSPC.*disk is full/);
    expect(await readFile(path, "utf8")).toBe("good");
    expect(await readdir(folder)).toEqual(["f"]);
  });

  it("leave the last good folder", async () => {
    const path = join(folder, "d");
    await writeFolderAtomically(path, (inner) => writeFile(join(inner, "x"), "good"));
    const work = writeFolderAtomically(path, (inner) =>
      writeFileAtomically(join(inner, "x"), failing()),
    );
    expect(await message(work)).toContain("ENOSPC");
    expect(await readFile(join(path, "x"), "utf8")).toBe("good");
    expect(await readdir(folder)).toEqual(["d"]);
  });
});

describe("loadParameters", () => {
  const spec = (name: string, shape: number[]): ParameterSpec => ({
    name,
    shape,
    role: "weight",
    initializer: ones,
    weightDecay: false,
  });
  const open = async (): Promise<CheckpointReader> => {
    const path = join(folder, "m.safetensors");
    await safetensorsFile.write(path, { tensors: tensors(), metadata: {} });
    return safetensorsFile.open(path);
  };

  it("lists everything that does not fit, at once", async () => {
    const reader = await open();
    const text = await message(loadParameters(reader, [spec("weight", [3, 2]), spec("bias", [2])]));
    expect(text).toContain("other shape weight: the model has [3, 2], the checkpoint [2, 3]");
    expect(text).toContain("missing     bias [2]");
    expect(text).toContain("unexpected  ids [3]");
    await reader.close();
  });

  it("reads what fits, lets a pattern miss, and takes a scalar of shape [1]", async () => {
    const reader = await open();
    const specs = [spec("weight", [2, 3]), spec("scale", [1]), spec("extra.bias", [1])];
    const options = { allowMissing: ["extra.*"], ignore: ["ids", "mask", "empty"] };
    const { tensors: loaded, missing } = await loadParameters(reader, specs, options);
    expect(missing).toEqual(["extra.bias"]);
    expect(loaded.get("scale")?.shape).toEqual([1]);
    expect([...(loaded.get("weight")?.data ?? [])]).toEqual([1, -2, 3.5, 0, Math.fround(1e-30), 7]);
    await reader.close();
  });

  it("refuses weights that are no numbers, and integers for weights", async () => {
    const path = join(folder, "n.safetensors");
    for (const bad of [NaN, Infinity, -Infinity]) {
      const weight = hostTensorFrom("float32", [3], [1, bad, 2]);
      await safetensorsFile.write(path, { tensors: [["w", weight]], metadata: {} });
      const reader = await safetensorsFile.open(path);
      expect(await message(loadParameters(reader, [spec("w", [3])]))).toContain(
        `"w": expected finite weights, got ${bad} at 1`,
      );
      await reader.close();
    }
    const count = hostTensorFrom("int32", [1], [3]);
    await safetensorsFile.write(path, {
      tensors: [
        ["w", count],
        ["n", count],
      ],
      metadata: {},
    });
    const reader = await safetensorsFile.open(path);
    const counter: ParameterSpec = { ...spec("n", [1]), role: "buffer" };
    expect(await message(loadParameters(reader, [spec("w", [1]), counter]))).toContain(
      "other dtype w: the model has floats, the checkpoint int32",
    );
    const { tensors: loaded } = await loadParameters(reader, [counter], { ignore: ["w"] });
    expect(loaded.get("n")).toMatchObject({ dtype: "float32", data: Float32Array.of(3) });
    await reader.close();
  });

  it("resizes position embeddings only where asked to", async () => {
    const path = join(folder, "p.safetensors");
    const stored = hostTensorFrom("float32", [5, 1], [9, 1, 2, 3, 4]);
    const text = hostTensorFrom("float32", [2, 1], [0, 4]);
    await safetensorsFile.write(path, {
      tensors: [
        ["visual.positional_embedding", stored],
        ["positional_embedding", text],
      ],
      metadata: {},
    });
    const reader = await safetensorsFile.open(path);
    const specs = [
      spec("visual.positional_embedding", [2, 1]),
      spec("positional_embedding", [4, 1]),
    ];
    expect(await message(loadParameters(reader, specs))).toContain("the checkpoint [5, 1]");
    const loaded = await loadParameters(reader, specs, { resizePositions: true });
    expect(loaded.resized).toEqual(specs.map(({ name }) => name));
    expect([...(loaded.tensors.get("visual.positional_embedding")?.data ?? [])]).toEqual([9, 2.5]);
    expect([...(loaded.tensors.get("positional_embedding")?.data ?? [])]).toEqual([0, 1, 3, 4]);
    const wider = [spec("visual.positional_embedding", [5, 2])];
    const options = { resizePositions: true, ignore: ["positional_embedding"] };
    expect(await message(loadParameters(reader, wider, options))).toContain("other shape");
    await reader.close();
  });
});
