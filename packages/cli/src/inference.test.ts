/** embed, classify and explain as a user runs them: child processes on a small model trained here. */
import { execFile, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeImage, encodePng } from "diptych";
import { main } from "./main.js";

const BIN = fileURLToPath(new URL("../bin/diptych.js", import.meta.url));
const COLOURS = ["red", "green", "blue", "white"];
const WIDTH = 8;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-inference-"));
  const lines: string[] = [];
  for (const [i, name] of COLOURS.entries()) {
    const data = new Uint8Array(24 * 16 * 3).map((_, j) => ((i >> (j % 3)) & 1) * 200 + (j % 40));
    const image = `${name}.png`;
    const png = await encodePng({ width: 24, height: 16, channels: 3, data });
    await writeFile(join(folder, image), png);
    lines.push(JSON.stringify({ image, caption: `a ${name} square` }));
  }
  await writeFile(join(folder, "set.jsonl"), lines.join("\n"));
  await writeFile(join(folder, "broken.png"), "no picture");
  const vit = { type: "vit", imageSize: 16, patchSize: 4, width: 16, layers: 2, heads: 2 };
  const config = {
    name: "tiny",
    model: { embedDim: WIDTH, encoders: { image: vit, text: { type: "bag-of-words", width: 8 } } },
    tokenizer: { type: "words" },
    data: { train: { type: "jsonl", path: "set.jsonl" } },
    schedule: { type: "constant", learningRate: 0.01 },
    training: { steps: 60, batchSize: 4 },
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const trained = await diptych("train", "config.json", "--out", "run");
  expect(trained, trained.stderr).toMatchObject({ code: 0 });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MODEL = ["--model", "run/model"];

async function diptych(...args: string[]): Promise<Outcome> {
  try {
    const run = promisify(execFile);
    const { stdout, stderr } = await run(process.execPath, [BIN, ...args], { cwd: folder });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

/** What the command prints and how it ends where it is run in this process: for what it refuses before any work. */
async function refused(...args: string[]): Promise<Outcome> {
  const texts: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    texts.push(String(text));
    return true;
  });
  const before = process.exitCode;
  try {
    await main([process.execPath, BIN, ...args]);
    return { code: Number(process.exitCode), stdout: "", stderr: texts.join("") };
  } finally {
    process.exitCode = before;
  }
}

async function rowsOf(name: string): Promise<Float32Array> {
  const bytes = await readFile(join(folder, name));
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start));
}

describe("diptych embed", () => {
  it("writes npy, safetensors and Parquet with the same rows, unit or raw", async () => {
    const pictures = COLOURS.map((name) => `${name}.png`);
    const npy = await diptych("embed", ...pictures, ...MODEL, "-o", "p.npy");
    expect(npy, npy.stderr).toMatchObject({ code: 0 });
    expect(npy.stdout).toContain("Embedded 4 images, 8 numbers each: p.npy, p.npy.inputs.txt");
    const rows = await rowsOf("p.npy");
    expect(rows.length).toBe(4 * WIDTH);
    for (let row = 0; row < 4; row++) {
      const length = Math.hypot(...rows.subarray(row * WIDTH, (row + 1) * WIDTH));
      expect(length).toBeCloseTo(1, 5);
    }
    await writeFile(join(folder, "list.txt"), `${pictures.join("\n")}\n\n`);
    await diptych("embed", "--list", "list.txt", ...MODEL, "-o", "p.parquet");
    const file = await asyncBufferFromFile(join(folder, "p.parquet"));
    const table = await parquetReadObjects({ file });
    expect(table.map(({ path }) => path as unknown)).toEqual(pictures);
    expect(table.flatMap(({ embedding }) => embedding as number[])).toEqual([...rows]);
    await diptych("embed", ...pictures, ...MODEL, "-o", "p.safetensors", "--raw");
    const bytes = await readFile(join(folder, "p.safetensors"));
    const raw = Array.from({ length: WIDTH }, (_, i) =>
      bytes.readFloatLE(bytes.length - 4 * WIDTH * 4 + i * 4),
    );
    const length = Math.hypot(...raw);
    expect(Math.abs(length - 1)).toBeGreaterThan(0.01);
    raw.forEach((value, i) => expect(value / length).toBeCloseTo(rows[i]!, 5));
  });

  it("embeds the lines of a text file", async () => {
    await writeFile(join(folder, "texts.txt"), "a red square\na green square\n");
    const outcome = await diptych("embed", "-t", "texts.txt", ...MODEL, "-o", "t.parquet");
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    const file = await asyncBufferFromFile(join(folder, "t.parquet"));
    const table = await parquetReadObjects({ file });
    expect(table.map(({ text }) => text as unknown)).toEqual(["a red square", "a green square"]);
    expect(table[0]?.["embedding"]).not.toEqual(table[1]?.["embedding"]);
  });

  it.each(["SIGKILL", "SIGINT"] as const)(
    "goes on after %s where it was, to the same bytes",
    async (signal) => {
      const count = 1000;
      const lines = Array.from({ length: count }, (_, i) => `${COLOURS[i % 4]}.png`);
      await writeFile(join(folder, "many.txt"), lines.join("\n"));
      const out = `${signal}.npy`;
      const args = ["embed", "--list", "many.txt", ...MODEL, "-o", out, "--batch-size", "4"];
      const child = spawn(process.execPath, [BIN, ...args], { cwd: folder });
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
      const kept = join(folder, `${out}.partial`, "rows.f32");
      while (child.exitCode === null) {
        if (existsSync(kept) && statSync(kept).size > 40 * WIDTH * 4) break;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      child.kill(signal);
      const code = await ended;
      expect(existsSync(join(folder, out))).toBe(false);
      if (signal === "SIGINT") {
        expect(code).toBe(130);
        expect(stderr).toContain("Repeat the same command to go on");
      }
      const other = await diptych("embed", "red.png", ...MODEL, "-o", out);
      expect(other.code).toBe(1);
      expect(other.stderr).toMatch(/1000 inputs and not 1\. Repeat the command that began it/);
      const resumed = await diptych(...args);
      expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
      expect(Number(/Going on from (\d+) of 1000/.exec(resumed.stderr)?.[1])).toBeGreaterThan(40);
      expect(existsSync(join(folder, `${out}.partial`))).toBe(false);
      const rows = await rowsOf(out);
      const pictures = COLOURS.map((name) => `${name}.png`);
      await diptych("embed", ...pictures, ...MODEL, "-o", "four.npy", "--force");
      const four = await rowsOf("four.npy");
      for (let i = 0; i < rows.length; i++) expect(rows[i]).toBe(four[i % (4 * WIDTH)]);
    },
    60_000,
  );

  it("names a broken picture and keeps the rest, or leaves it out and lists it", async () => {
    const args = ["embed", "red.png", "broken.png", "blue.png", ...MODEL, "-o", "b.npy"];
    const stopped = await diptych(...args, "--batch-size", "1");
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(/broken\.png.*1 of 3 inputs are done.*--skip-bad/s);
    expect(stopped.stderr).not.toMatch(/^\s+at /m);
    const skipped = await diptych(...args, "--skip-bad");
    expect(skipped, skipped.stderr).toMatchObject({ code: 0 });
    expect(skipped.stdout).toContain("Embedded 2 images");
    expect(skipped.stderr).toMatch(/Left out 1:\n {2}broken\.png/);
  });

  it.each([
    ["without inputs", ["-o", "x.npy"], /expected one of pictures, --list and --texts, got none/],
    ["with two kinds", ["red.png", "-t", "texts.txt", "-o", "x.npy"], /got pictures and --texts/],
    [
      "with another ending",
      ["red.png", "-o", "x.csv"],
      /\.npy, \.safetensors, \.parquet, got x\.csv/,
    ],
    ["on a missing file", ["no.png", "-o", "x.npy"], /no\.png: expected a picture or a folder/],
    [
      "on a batch of none",
      ["red.png", "-o", "x.npy", "--batch-size", "0"],
      /integer of at least 1/,
    ],
  ] as const)("refuses to run %s", async (name, args, message) => {
    const run = name.startsWith("on") ? diptych : refused;
    const outcome = await run("embed", ...args, ...MODEL);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(message);
    expect(existsSync(join(folder, "x.npy"))).toBe(false);
  });
});

describe("diptych classify", () => {
  const TEMPLATE = ["--template", "a {} square"];
  const LABELS = COLOURS.join(", ");

  it("finds the labels, as a table with bars and as JSON", async () => {
    const args = ["classify", "red.png", "blue.png", ...MODEL, ...TEMPLATE, "-l", LABELS];
    const table = await diptych(...args, "--top", "2");
    expect(table, table.stderr).toMatchObject({ code: 0 });
    expect(table.stdout).toMatch(
      /^red\.png\n {2}red +\d+\.\d % {2}█+.*\n {2}\w+ .*\n\nblue\.png\n {2}blue /,
    );
    const json = await diptych(...args, "--json", "--top", "4");
    const found = JSON.parse(json.stdout) as {
      image: string;
      labels: { label: string; probability: number }[];
    }[];
    expect(found.map(({ image, labels }) => [image, labels[0]?.label])).toEqual([
      ["red.png", "red"],
      ["blue.png", "blue"],
    ]);
    for (const { labels } of found) {
      expect(labels.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
    }
  });

  it("reads labels from a file", async () => {
    await writeFile(join(folder, "labels.txt"), "red\nblue\n\n");
    const outcome = await diptych("classify", "blue.png", ...MODEL, "--labels-file", "labels.txt");
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stdout.trim().split("\n").length).toBe(3);
  });

  it.each([
    ["no labels", [], /expected one of --labels and --labels-file, got none/],
    ["a label twice", ["-l", "red,blue,red"], /"red" twice/],
    ["a template without its place", ["-l", "red", "--template", "a colour"], /expected \{\}/],
  ] as const)("refuses %s", async (_, args, message) => {
    const outcome = await refused("classify", "red.png", ...MODEL, ...args);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(message);
  });
});

describe("diptych explain", () => {
  it("draws a panel a text beside the picture", async () => {
    const args = ["explain", "red.png", "a red square", "a blue square", ...MODEL];
    const outcome = await diptych(...args, "-o", "heat.png");
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stdout).toMatch(
      /a red square +-?\d\.\d{4} +attention +image\/block1\/attention/,
    );
    const drawn = await decodeImage(join(folder, "heat.png"));
    expect([drawn.width, drawn.height]).toEqual([3 * 24 + 2 * 8, 16]);
    const json = await diptych(
      ...args,
      ...["-o", "other.png", "--method", "gradient", "--block", "0", "--json", "--no-original"],
    );
    expect(json, json.stderr).toMatchObject({ code: 0 });
    const found = JSON.parse(json.stdout) as { path: string; map: number[][] }[];
    expect(found.map(({ path }) => path)).toEqual(["image/block0", "image/block0"]);
    expect(found[0]?.map.map(({ length }) => length)).toEqual([4, 4, 4, 4]);
    expect((await decodeImage(join(folder, "other.png"))).width).toBe(2 * 24 + 8);
  });

  it.each([
    ["another ending", ["-o", "heat.jpg"], /expected a file that ends in \.png, got heat\.jpg/],
    ["an unknown block", ["-o", "x.png", "-b", "9"], /expected one of 0 \(image\/block0\)/],
    ["an unknown method", ["-o", "x.png", "--method", "magic"], /Allowed choices are attention/],
  ] as const)("refuses %s", async (name, args, message) => {
    const run = name === "another ending" ? refused : diptych;
    const outcome = await run("explain", "red.png", "a red square", ...MODEL, ...args);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  });
});

it.each(["embed", "classify", "explain"])("%s --help teaches by examples", async (command) => {
  const { code, stdout } = await diptych(command, "--help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples:\n {2}\$ diptych/);
});
