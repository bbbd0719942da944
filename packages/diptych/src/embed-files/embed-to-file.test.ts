import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostTensor, DataError, type HostTensor } from "@diptych/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EncodeOptions } from "../encode/encoder-runtime.js";
import { npyFormat, safetensorsFormat } from "./embedding-format.js";
import { embedToFile, type EmbedToFileOptions } from "./embed-to-file.js";
import { listLines, listPictures } from "./list-inputs.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-embed-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const WIDTH = 3;

/** Rows are [length of the input, its last digits, `model`]; "bad…" cannot be read. */
function createFakeClip(model = 1): EmbedToFileOptions["clip"] & { readonly asked: string[] } {
  const asked: string[] = [];
  const encode = async (
    inputs: readonly unknown[],
    { signal }: EncodeOptions = {},
  ): Promise<HostTensor<"float32">> => {
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    const rows = inputs.flatMap((input) => {
      if (typeof input !== "string") return [1, 2, model];
      if (input.startsWith("bad")) throw new DataError(`test: ${input}: no picture.`);
      asked.push(input);
      return [input.length, Number(/\d*$/.exec(input)?.[0]), model];
    });
    return createHostTensor("float32", [inputs.length, WIDTH], Float32Array.from(rows));
  };
  return { embedDim: WIDTH, encodeImages: encode, encodeTexts: encode, asked };
}

async function* streamOf(inputs: readonly string[]): AsyncGenerator<string> {
  yield* inputs;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `picture ${i}`);

type Changes = Partial<Omit<EmbedToFileOptions, "inputs">> & { inputs?: readonly string[] };

function embed(out: string, { inputs = names(20), ...changes }: Changes = {}) {
  return embedToFile({
    clip: createFakeClip(),
    kind: "image",
    out: join(folder, out),
    format: npyFormat,
    batchSize: 4,
    ...changes,
    inputs: streamOf(inputs),
  });
}

const readNpy = async (out: string): Promise<{ header: string; rows: Float32Array }> => {
  const bytes = await readFile(join(folder, out));
  const end = 10 + bytes.readUInt16LE(8);
  return {
    header: bytes.toString("latin1", 0, end),
    rows: new Float32Array(bytes.buffer.slice(bytes.byteOffset + end)),
  };
};

describe("embedToFile", () => {
  it("writes a row an input, in order, and the inputs beside", async () => {
    const seen: number[] = [];
    const summary = await embed("all.npy", { onProgress: ({ done }) => seen.push(done) });
    expect(summary).toMatchObject({ rows: 20, width: WIDTH, skipped: [] });
    const { header, rows } = await readNpy("all.npy");
    expect(header.length % 64).toBe(0);
    expect(header.slice(0, 8)).toBe("\x93NUMPY\x01\x00");
    expect(header.slice(10)).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(20, 3\), \} *\n$/,
    );
    names(20).forEach((name, i) =>
      expect([...rows.subarray(i * 3, i * 3 + 3)]).toEqual([name.length, i, 1]),
    );
    expect(await readFile(join(folder, "all.npy.inputs.txt"), "utf8")).toBe(
      `${names(20).join("\n")}\n`,
    );
    expect(seen).toEqual([0, 4, 8, 12, 16, 20]);
    expect(existsSync(join(folder, "all.npy.partial"))).toBe(false);
  });

  it("goes on after an abort without repeating what was done", async () => {
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done === 8) stop.abort();
    };
    await expect(embed("a.npy", { signal: stop.signal, onProgress })).rejects.toThrow(
      expect.objectContaining({ name: "AbortError" }),
    );
    expect(existsSync(join(folder, "a.npy"))).toBe(false);
    const clip = createFakeClip();
    let from = -1;
    await embed("a.npy", { clip, onProgress: ({ resumedFrom }) => (from = resumedFrom) });
    expect(from).toBe(8);
    expect(clip.asked.filter((name) => name.startsWith("picture"))).toEqual(names(20).slice(8));
    await embed("whole.npy");
    expect((await readNpy("a.npy")).rows).toEqual((await readNpy("whole.npy")).rows);
  });

  it("drops a row that a kill has cut off", async () => {
    await expect(embed("cut.npy", { inputs: [...names(19), "bad"] })).rejects.toThrow("bad");
    const rows = join(folder, "cut.npy.partial", "rows.f32");
    expect((await stat(rows)).size).toBe(16 * WIDTH * 4);
    await truncate(rows, 13 * WIDTH * 4 + 5);
    const clip = createFakeClip();
    const inputs = [...names(19), "bad"];
    const summary = await embed("cut.npy", { inputs, clip, skipBad: true });
    expect(clip.asked).toContain("picture 13");
    expect(clip.asked).not.toContain("picture 12");
    expect(summary.rows).toBe(19);
    const { rows: values } = await readNpy("cut.npy");
    names(19).forEach((_, i) => expect(values[i * 3 + 1]).toBe(i));
  });

  it("names what cannot be read and keeps the rest; or leaves it out and says so", async () => {
    const inputs = ["bad start", ...names(5), "bad one", "bad two", ...names(3), "bad end"];
    await expect(embed("b.npy", { inputs })).rejects.toThrow(
      /bad start: no picture\.\n0 of 12 inputs are done.*--skip-bad/s,
    );
    const summary = await embed("b.npy", { inputs, skipBad: true });
    expect(summary.skipped.map(({ index, input }) => [index, input])).toEqual([
      [0, "bad start"],
      [6, "bad one"],
      [7, "bad two"],
      [11, "bad end"],
    ]);
    expect(summary.skipped[0]?.problem).toContain("no picture");
    const { header, rows } = await readNpy("b.npy");
    expect(header).toContain("(8, 3)");
    expect(Array.from({ length: 8 }, (_, i) => rows[i * 3 + 1])).toEqual([0, 1, 2, 3, 4, 0, 1, 2]);
    const list = await readFile(join(folder, "b.npy.inputs.txt"), "utf8");
    expect(list).toBe(`${[...names(5), ...names(3)].join("\n")}\n`);
  });

  it("does not count what was skipped, but not done, before a kill", async () => {
    const inputs = [...names(6), "bad", ...names(20)];
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done === 8) stop.abort();
    };
    const options = { inputs, skipBad: true };
    await expect(embed("s.npy", { ...options, signal: stop.signal, onProgress })).rejects.toThrow();
    // As if the kill had come after the note and before its rows.
    await truncate(join(folder, "s.npy.partial", "rows.f32"), 4 * WIDTH * 4);
    const summary = await embed("s.npy", options);
    expect(summary.skipped.map(({ index }) => index)).toEqual([6]);
    expect(summary.rows).toBe(26);
  });

  it("refuses the unfinished work of another command, saying in what it differs", async () => {
    const bad = [...names(8), "bad"];
    await expect(embed("p.npy", { inputs: bad })).rejects.toThrow("bad");
    const cases: readonly (readonly [Changes, RegExp])[] = [
      [{ inputs: names(8) }, /9 inputs and not 8/],
      [{ inputs: [...names(8), "worse"] }, /other inputs/],
      [{ inputs: bad, clip: createFakeClip(2) }, /another model/],
      [{ inputs: bad, normalize: false }, /normalize true and not false/],
      [{ inputs: bad, settings: { precision: "int8" } }, /precision unset and not int8/],
      [{ inputs: bad, kind: "text" }, /images and not texts/],
    ];
    for (const [changes, message] of cases) {
      await expect(embed("p.npy", changes)).rejects.toThrow(message);
      await expect(embed("p.npy", changes)).rejects.toThrow(/another --out, or delete/);
    }
    // Refusals change nothing.
    await expect(embed("p.npy", { inputs: bad })).rejects.toThrow("8 of 9 inputs are done");
  });

  it("does not overwrite a file unless told to, and wants inputs", async () => {
    await writeFile(join(folder, "there.npy"), "kept");
    await expect(embed("there.npy")).rejects.toThrow(/expected no file of that name yet.*--force/);
    expect(readFileSync(join(folder, "there.npy"), "utf8")).toBe("kept");
    await embed("there.npy", { overwrite: true });
    expect((await readNpy("there.npy")).header).toContain("(20, 3)");
    await expect(embed("none.npy", { inputs: [] })).rejects.toThrow(/at least one, got none/);
    await expect(embed("line.npy", { inputs: ["a\nb"] })).rejects.toThrow(/line breaks.*a\\nb/);
  });

  it("refuses a second process at the same file", async () => {
    let second: Promise<unknown> | undefined;
    await embed("lock.npy", {
      onProgress: () => {
        second ??= expect(embed("lock.npy")).rejects.toThrow(/no other run uses/);
      },
    });
    await second;
  });

  it("writes safetensors with its rows behind an aligned header", async () => {
    await embed("t.safetensors", { format: safetensorsFormat, kind: "text" });
    const bytes = await readFile(join(folder, "t.safetensors"));
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<string, unknown>;
    expect(header["embeddings"]).toEqual({
      dtype: "F32",
      shape: [20, WIDTH],
      data_offsets: [0, 20 * WIDTH * 4],
    });
    expect(bytes.length).toBe(8 + length + 20 * WIDTH * 4);
    expect(bytes.readFloatLE(8 + length + (7 * WIDTH + 1) * 4)).toBe(7);
  });
});

describe("inputs", () => {
  const collect = async (source: AsyncIterable<string>): Promise<string[]> => {
    const found: string[] = [];
    for await (const item of source) found.push(item);
    return found;
  };

  it("are files as given and the pictures of folders and below, sorted", async () => {
    const root = join(folder, "pictures");
    await mkdir(join(root, "sub"), { recursive: true });
    for (const name of ["b.png", "a.JPG", "notes.txt", ".hidden.png", "sub/c.webp"])
      await writeFile(join(root, name), "");
    expect(await collect(listPictures([join(root, "sub/c.webp"), root]))).toEqual(
      ["sub/c.webp", "a.JPG", "b.png", "sub/c.webp"].map((name) => join(root, name)),
    );
    await expect(collect(listPictures([join(root, "no.png")]))).rejects.toThrow(
      /no\.png: expected a picture or a folder, got nothing there/,
    );
  });

  it("are lines, ended by \\n alone, empty ones too", async () => {
    const path = join(folder, "lines.txt");
    await writeFile(path, "one\r\n\ntwo\u2028 still two\nlast é");
    expect(await collect(listLines(path))).toEqual(["one", "", "two\u2028 still two", "last é"]);
    await writeFile(path, `${"x".repeat(200_000)}\nend\n`);
    expect((await collect(listLines(path))).map(({ length }) => length)).toEqual([200_000, 3]);
    await expect(collect(listLines(join(folder, "none.txt")))).rejects.toThrow(
      /none\.txt: expected a readable text file, got nothing there/,
    );
  });
});
