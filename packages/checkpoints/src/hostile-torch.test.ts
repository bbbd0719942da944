// Hostile and broken files of PyTorch's: a CheckpointError within a second and 100 MB, and nothing is run or written.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hostTensorFrom } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { folder, readEverything, refusedFile } from "./hostile.test-support.js";
import {
  rowMajorStrides,
  pickle,
  tensorPickle,
  torchZip,
  torchZipOf,
} from "./torch/torch-zip.test-support.js";
import { writeZip, type ZipFile } from "./zip/zip-writer.test-support.js";

const { start, stop, global, string, call, dict, integer } = pickle;
const pickled = (...parts: Buffer[]) => torchZipOf(Buffer.concat([start, ...parts, stop]));
const floats = (key: string, elements: number): ZipFile => ({
  name: `archive/data/${key}`,
  bytes: new Uint8Array(4 * elements),
});
const view = (change: Partial<Parameters<typeof tensorPickle>[0]>) =>
  tensorPickle({
    storage: "FloatStorage",
    key: "0",
    elements: 4,
    shape: [4],
    strides: [1],
    ...change,
  });
const withTensor = (
  change: Partial<Parameters<typeof tensorPickle>[0]>,
  files = [floats("0", 4)],
) => torchZipOf(Buffer.concat([start, dict(string("w"), view(change)), stop]), files);

describe("pickles that ask for code", () => {
  it.each([
    ["os.system", "posix", "system"],
    ["eval", "builtins", "eval"],
    ["an import", "importlib", "import_module"],
    ["torch.load", "torch", "load"],
    ["a name of an object's prototype", "torch", "constructor"],
    ["getattr", "__builtin__", "getattr"],
    ["a class like TorchScript's", "__torch__evil", "X"],
  ])("%s is refused by its name and not run", async (_, module, name) => {
    const mark = join(folder, "was-run");
    const run = call(global(module, name), string(`touch ${mark}`));
    expect(await refusedFile("m.pt", pickled(run))).toContain(`"${module}.${name}"`);
    const late = dict(string("w"), run);
    expect(await refusedFile("m.pt", pickled(late))).toContain(`"${module}.${name}"`);
    const stacked = Buffer.concat([string(module), string(name), Buffer.of(0x93)]);
    expect(await refusedFile("m.pt", pickled(stacked))).toContain(`"${module}.${name}"`);
    expect(existsSync(mark)).toBe(false);
  });

  it.each([
    ["a storage called as a function", call(global("torch", "FloatStorage"), integer(1))],
    ["a record called as a function", call(global("__torch__", "M"), integer(1))],
    ["a string called as a function", call(string("system"), integer(1))],
    [
      "a rebuilding of something else",
      call(global("torch._tensor", "_rebuild_from_type_v2"), string("x")),
    ],
    ["an opcode of protocol 0", Buffer.from("(iposix\nsystem\n")],
    ["an extension", Buffer.of(0x82, 1)],
  ])("%s is refused", async (_, body) => {
    expect(await refusedFile("m.pt", pickled(body))).toMatch(
      /expected (tensors|a tensor|a pickle)/,
    );
  });
});

describe("pickles that would take memory or time", () => {
  const repeat = (text: string, count: number): Buffer => Buffer.from(text.repeat(count), "latin1");
  const record = Buffer.concat([global("__torch__", "M"), Buffer.from(")\x81", "latin1")]);

  it.each([
    ["lists a million deep", Buffer.concat([repeat("]", 1_000_000), repeat("a", 999_999)])],
    ["lists as deep as is allowed", Buffer.concat([repeat("]", 249_000), repeat("a", 248_999)])],
    ["ten million values", repeat("N", 10_000_000)],
    ["dicts without end", repeat("}", 15_000_000)],
    ["dicts without end, remembered", repeat("}\x94", 7_000_000)],
    [
      "one value remembered without end",
      Buffer.concat([Buffer.from("N"), repeat("\x94", 15_000_000)]),
    ],
    ["globals without end", repeat("ctorch\nfloat16\n", 1_000_000)],
    [
      "keys without end",
      Buffer.concat([Buffer.from("}("), repeat("K\x01N", 5_000_000), Buffer.from("u")]),
    ],
    ["marks without end", repeat("(", 2_000_000)],
    ["a string of 4 GB", Buffer.of(0x58, 0xff, 0xff, 0xff, 0xff)],
    ["a string of 2^63 bytes", Buffer.concat([Buffer.of(0x8d), Buffer.alloc(8, 0x7f)])],
    ["an integer of 2 GB", Buffer.of(0x8b, 0xff, 0xff, 0xff, 0x7f)],
    ["a value that was never remembered", Buffer.of(0x6a, 1, 2, 3, 4)],
    ["a memo of the largest index", Buffer.concat([Buffer.from("}r"), Buffer.alloc(4, 0xff)])],
    ["a dict that holds itself", Buffer.from("}q\x00(X\x01\x00\x00\x00ah\x00u", "latin1")],
    ["a list that holds itself", Buffer.from("]q\x00h\x00a", "latin1")],
    [
      "a module that holds itself",
      Buffer.concat([record, Buffer.from("q\x00}(X\x01\x00\x00\x00ah\x00ub", "latin1")]),
    ],
    ["no end", Buffer.from("}q\x00", "latin1").subarray(0, 2)],
  ])("%s", async (_, body) => {
    await refusedFile("m.pt", pickled(body));
  });

  it("modules that share modules, 2^40 by paths", async () => {
    let body = record;
    for (let level = 0; level < 40; level++) {
      const remembered = Buffer.from([0x71, level]);
      const got = Buffer.from([0x68, level]);
      const pairs = dict(string("a"), got, string("b"), got);
      body = Buffer.concat([body, remembered, Buffer.from("0"), record, pairs, Buffer.from("b")]);
    }
    expect(await refusedFile("m.pt", pickled(body))).toContain("more than 100000 attributes");
  });

  it("a pickle of more bytes than names need", async () => {
    const text = await refusedFile("m.pt", torchZipOf(Buffer.alloc(16_000_001)));
    expect(text).toContain("more than 16000000");
  });
});

describe("tensors that are not what they say", () => {
  it.each([
    [
      "a shape of 2^60",
      { shape: [2 ** 60 / 256, 256], strides: [256, 1] },
      /expected a (view of 4|shape)/,
    ],
    [
      "2^50 elements of a storage that says so",
      { elements: 2 ** 50, shape: [2 ** 50] },
      /bytes.*got 16/,
    ],
    ["one element repeated 2^40 times", { shape: [2 ** 40], strides: [0] }, /a view of 4 elements/],
    ["a view beyond its storage", { offset: 2, shape: [3] }, /a view of 4 elements/],
    ["strides beyond its storage", { shape: [2, 2], strides: [3, 1] }, /a view of 4 elements/],
    ["a negative size", { shape: [-4] }, /a shape and strides/],
    ["a negative stride", { strides: [-1] }, /a shape and strides/],
    ["a negative offset", { offset: -1 }, /an offset/],
    ["fewer strides than sizes", { shape: [2, 2] }, /as many sizes/],
    [
      "a hundred axes",
      { shape: Array<number>(100).fill(1), strides: Array<number>(100).fill(1) },
      /shape/,
    ],
    ["a storage that is not there", { key: "7" }, /storage "7".*got none/],
    ["a storage by a path", { key: "../../../etc/passwd" }, /got none/],
    [
      "integers for weights",
      { storage: "LongStorage", elements: 2, shape: [2] },
      /other dtype w.*int64/,
    ],
  ] as const)("%s", async (_, change, expected) => {
    expect(await refusedFile("m.pt", withTensor(change))).toMatch(expected);
  });

  it("NaN weights", async () => {
    const w = hostTensorFrom("float32", [2], [1, NaN]);
    expect(await refusedFile("m.pt", torchZip({ w }))).toContain('"w": expected finite weights');
    const half = hostTensorFrom("float16", [2], [1, NaN]);
    expect(await refusedFile("m.pt", torchZip({ half }))).toContain('"half": expected finite');
  });

  it("numbers of another byte order", async () => {
    const files = [
      { name: "a/data.pkl", bytes: Buffer.concat([start, dict(), stop]) },
      { name: "a/byteorder", bytes: Buffer.from("big") },
    ];
    expect(await refusedFile("m.pt", writeZip(files))).toContain('got "big"');
  });
});

describe("zip archives that lie", () => {
  const pkl = (bytes: Uint8Array, more: Partial<ZipFile> = {}): ZipFile => ({
    name: "a/data.pkl",
    bytes,
    ...more,
  });
  const zeros = Buffer.alloc(64_000_000);

  it.each([
    [
      "a bomb that says its size",
      () => writeZip([pkl(zeros, { deflate: true })]),
      /more than 16000000/,
    ],
    [
      "a bomb that does not",
      () => writeZip([pkl(zeros, { deflate: true, size: 1000 })]),
      /zip bomb/,
    ],
    [
      "a stored entry of another size",
      () => writeZip([pkl(Buffer.from("}."), { size: 9 })]),
      /said to have 9/,
    ],
    [
      "an entry outside the file",
      () => writeZip([pkl(Buffer.from("}."), { headerAt: 1e6 })]),
      /overlaps/,
    ],
    [
      "an entry at 2^60",
      () => writeZip([pkl(Buffer.from("}."), { headerAt: 2 ** 60, zip64: true })]),
      /2?1152921504606846976/,
    ],
    [
      "entries that overlap",
      () => writeZip([pkl(Buffer.alloc(90)), { name: "b", bytes: Buffer.alloc(9), headerAt: 8 }]),
      /overlaps/,
    ],
    ["a name twice", () => writeZip([pkl(Buffer.from("}.")), pkl(Buffer.from("}."))]), /twice/],
    ["an encrypted entry", () => writeZip([pkl(Buffer.from("}."), { flags: 1 })]), /encrypted/],
    [
      "two pickles",
      () => writeZip([pkl(Buffer.from("}.")), { name: "b/data.pkl", bytes: Buffer.from("}.") }]),
      /got 2/,
    ],
    ["no pickle", () => writeZip([{ name: "a.txt", bytes: Buffer.from("a") }]), /got 0/],
  ])("%s", async (_, make, expected) => {
    expect(await refusedFile("m.pt", make())).toMatch(expected);
  });

  it("a wrong checksum", async () => {
    const bytes = torchZip({ w: hostTensorFrom("float32", [1], [1]) });
    bytes[bytes.indexOf("torch")]! ^= 1;
    expect(await refusedFile("m.pt", bytes)).toContain("another checksum");
  });

  it("packed weights", async () => {
    const packed = { ...floats("0", 4), deflate: true };
    expect(await refusedFile("m.pt", withTensor({}, [packed]))).toContain("packed ones");
  });

  it("zip64 archives are read where they tell the truth", async () => {
    const files = [
      pkl(Buffer.concat([start, dict(string("w"), view({})), stop]), { zip64: true }),
      { ...floats("0", 4), name: "a/data/0", zip64: true },
    ];
    await writeFile(join(folder, "m.pt"), writeZip(files));
    await readEverything(join(folder, "m.pt"));
  });
});

describe("truncated files", () => {
  it.each(["pytorch", "torchscript"])("%s at every length", async (kind) => {
    const w = hostTensorFrom("float32", [8], [1, 2, 3, 4, 5, 6, 7, 8]);
    const bytes = torchZip({ "a.w": w, v: w }, { torchScript: kind === "torchscript" });
    for (let length = 0; length < bytes.length; length += 7)
      await refusedFile("m.pt", bytes.subarray(0, length));
  });

  it("rows of a storage outside of the file", async () => {
    const shape = [2, 2];
    const bytes = withTensor({ shape, strides: rowMajorStrides(shape) }, [floats("0", 3)]);
    expect(await refusedFile("m.pt", bytes)).toMatch(/expected 16 bytes.*got 12/);
  });
});
