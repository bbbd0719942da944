// Fuzzing of each parser: files changed at random end in tensors or in a CheckpointError, soon, in little memory, and
// touch nothing but themselves. DIPTYCH_FUZZ multiplies the number of changes, DIPTYCH_FUZZ_SEED takes others.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDiptychError, type CheckpointReader } from "@diptych/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../bytes/byte-source.js";
import { openCheckpoint } from "../open-checkpoint.js";
import { describeOpenAi } from "../clip/openai-archive.js";
import { describeSource } from "../model-source.js";
import { unpickle } from "../pickle/unpickle.js";
import { readSafetensors } from "../safetensors/read.js";
import { createTorchHost } from "../torch/torch-globals.js";
import { readTorch } from "../torch/torch-reader.js";
import { torchZipOf } from "../torch/torch-zip.test-support.js";
import { createDraw, mutate, type Draw } from "./mutate.test-support.js";
import { joinSafetensors, JSON_SEEDS, SEEDS } from "./seeds.test-support.js";

const scale = Number(process.env["DIPTYCH_FUZZ"] ?? 1);
const firstSeed = Number(process.env["DIPTYCH_FUZZ_SEED"] ?? 1);

/** One file at random; rejects or returns. */
type Attempt = (draw: Draw) => Promise<void>;

// Of the processor: the machine may be busy with other tests.
const SLOWEST_MS = 1000;
const MOST_BYTES = 200_000_000;

/** Reads all of a checkpoint; no tensor may be larger than its file makes plausible. */
async function readAll(reader: CheckpointReader, fileBytes: number): Promise<void> {
  for (const { name } of reader.entries) {
    const { data } = await reader.read(name);
    // A byte of a file becomes four in memory at most.
    if (data.byteLength > 4 * fileBytes) throw new Error(`${data.byteLength} bytes for "${name}"`);
  }
}

async function run(attempts: number, attempt: Attempt): Promise<{ read: number; refused: number }> {
  const counts = { read: 0, refused: 0 };
  const before = process.memoryUsage.rss();
  for (let i = 0; i < attempts; i++) {
    const seed = firstSeed * 1_000_003 + i;
    const started = process.cpuUsage();
    try {
      await attempt(createDraw(seed));
      counts.read++;
    } catch (error) {
      if (!isDiptychError(error, "CHECKPOINT"))
        throw new Error(`seed ${seed}: expected tensors or a CheckpointError`, { cause: error });
      counts.refused++;
    }
    const { user, system } = process.cpuUsage(started);
    const took = (user + system) / 1000;
    if (took > SLOWEST_MS) throw new Error(`seed ${seed}: ${took} ms`);
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_BYTES);
  return counts;
}

function pick<T>(list: readonly T[], draw: Draw): T {
  return list[draw.below(list.length)]!;
}

/** Changes a few kilobytes of memory; the parser sees them as a file. */
function changed(seeds: readonly Uint8Array[], draw: Draw): Buffer {
  return mutate(pick(seeds, draw), draw, pick(seeds, draw));
}

/** What is made of a checkpoint once it is open; few changed files are still a CLIP, and need not be. */
async function describeAll(
  reader: CheckpointReader,
  format: string,
  fileBytes: number,
): Promise<void> {
  try {
    await readAll(describeSource(reader, format).reader, 4 * fileBytes);
    if (format === "pytorch") await readAll(describeOpenAi(reader), 4 * fileBytes);
  } catch (error) {
    if (!isDiptychError(error, "CHECKPOINT")) throw error;
  }
}

const openSafetensorsBytes = async (bytes: Uint8Array): Promise<void> => {
  const reader = await readSafetensors(memorySource("fuzz.safetensors", bytes));
  await readAll(reader, bytes.length);
  await describeAll(reader, "safetensors", bytes.length);
};

const openTorchBytes = async (bytes: Uint8Array): Promise<void> => {
  const reader = await readTorch(memorySource("fuzz.pt", bytes));
  await readAll(reader, bytes.length);
  await describeAll(reader, "pytorch", bytes.length);
};

const whole = SEEDS.safetensors.map(({ header, data }) => joinSafetensors(header, data));
const headers = SEEDS.safetensors.map(({ header }) => header);

const PARSERS: Readonly<Record<string, { readonly attempts: number; readonly attempt: Attempt }>> =
  {
    "safetensors files": {
      attempts: 20_000,
      attempt: (draw) => openSafetensorsBytes(changed(whole, draw)),
    },
    "safetensors headers of the right length": {
      attempts: 20_000,
      attempt: (draw) => {
        const { header, data } = pick(SEEDS.safetensors, draw);
        return openSafetensorsBytes(
          joinSafetensors(mutate(header, draw, pick(headers, draw)), data),
        );
      },
    },
    "archives of PyTorch's": {
      attempts: 20_000,
      attempt: (draw) => openTorchBytes(changed(SEEDS.archives, draw)),
    },
    "pickles in sound archives": {
      attempts: 20_000,
      attempt: (draw) => {
        const files = ["0", "1", "2", "3", "4"].map((key) => ({
          name: `archive/data/${key}`,
          bytes: new Uint8Array(24),
        }));
        return openTorchBytes(torchZipOf(changed(SEEDS.pickles, draw), files));
      },
    },
    "pickles alone": {
      attempts: 20_000,
      attempt: async (draw) => {
        unpickle("fuzz.pkl", changed(SEEDS.pickles, draw), { host: createTorchHost("fuzz.pkl") });
      },
    },
    "files of PyTorch's before 1.6": {
      attempts: 10_000,
      attempt: (draw) => openTorchBytes(changed(SEEDS.legacy, draw)),
    },
  };

describe("fuzz", () => {
  for (const [name, { attempts, attempt }] of Object.entries(PARSERS)) {
    it(
      `${name}: ${attempts * scale} changes`,
      { timeout: 60_000 * Math.max(1, scale) },
      async () => {
        const { read, refused } = await run(attempts * scale, attempt);
        expect(read + refused).toBe(attempts * scale);
        // Changes that all failed at the first byte would show nothing.
        expect(read, "files that were still read").toBeGreaterThan(attempts * scale * 0.005);
        expect(refused, "files that were refused").toBeGreaterThan(attempts * scale * 0.2);
      },
    );
  }

  it("seeds are small and are read unchanged", async () => {
    for (const bytes of [...whole, ...SEEDS.archives, ...SEEDS.legacy, ...JSON_SEEDS])
      expect(bytes.length).toBeLessThanOrEqual(4096);
    for (const bytes of whole) await openSafetensorsBytes(bytes);
    for (const bytes of [...SEEDS.archives, ...SEEDS.legacy]) await openTorchBytes(bytes);
    const reader = await readTorch(memorySource("clip.pt", SEEDS.archives.at(-1)!));
    expect(describeOpenAi(reader).metadata).toHaveProperty("model_cfg.embed_dim", 1);
    const clip = await readSafetensors(memorySource("clip.safetensors", whole[1]!));
    expect(describeSource(clip, "safetensors").modelConfig.embed_dim).toBe(1);
  });
});

describe("fuzz of folders on disk", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "diptych-fuzz-"));
    writeFileSync(join(root, "b.safetensors"), "not to be opened");
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const attempts = 2000;
  it(
    `Hugging Face folders: ${attempts * scale} changes`,
    { timeout: 60_000 * Math.max(1, scale) },
    async () => {
      const folder = join(root, "model");
      mkdirSync(folder);
      const [config, preprocessor, index] = JSON_SEEDS as [Buffer, Buffer, Buffer];
      await run(attempts * scale, async (draw) => {
        const turn = draw.below(4);
        const write = (name: string, bytes: Buffer, mine: number): void =>
          writeFileSync(join(folder, name), turn === mine ? mutate(bytes, draw, config) : bytes);
        write("config.json", config, 0);
        write("preprocessor_config.json", preprocessor, 1);
        // Half of them have an index of shards, of which one leads out of the folder.
        const sharded = draw.below(2) === 0;
        rmSync(join(folder, "model.safetensors"), { force: true });
        rmSync(join(folder, "model.safetensors.index.json"), { force: true });
        if (sharded) write("model.safetensors.index.json", index, 2);
        else write("model.safetensors", whole[2]!, 3);
        const { reader } = await openCheckpoint(folder);
        try {
          await readAll(reader, 1 << 16);
        } finally {
          await reader.close();
        }
      });
      expect(readdirSync(root).sort()).toEqual(["b.safetensors", "model"]);
      expect(readFileSync(join(root, "b.safetensors"), "utf8")).toBe("not to be opened");
    },
  );
});
