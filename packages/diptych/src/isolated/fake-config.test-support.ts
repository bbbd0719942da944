/** A folder with eight small pictures and a configuration that trains on them with the fake backends installed. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePng } from "@diptych/data";

const FIXTURE = fileURLToPath(new URL("./fake-backends.fixture.ts", import.meta.url));
const COLOURS = ["red", "green", "blue", "white", "black", "yellow", "purple", "cyan"];

export interface FakeConfig {
  readonly folder: string;
  /** The configuration file. */
  readonly file: string;
}

/** @param backend The part that the configuration names. */
export async function writeFakeConfig(backend: object): Promise<FakeConfig> {
  const folder = await mkdtemp(join(tmpdir(), "diptych-fake-"));
  const lines: string[] = [];
  for (const [i, name] of COLOURS.entries()) {
    const data = new Uint8Array(16 * 16 * 3).map((_, j) => ((i >> (j % 3)) & 1) * 200 + (j % 40));
    const png = await encodePng({ width: 16, height: 16, channels: 3, data });
    await writeFile(join(folder, `${name}.png`), png);
    lines.push(JSON.stringify({ image: `${name}.png`, caption: `a ${name} square` }));
  }
  await writeFile(join(folder, "set.jsonl"), lines.join("\n"));
  const config = {
    name: "fake",
    backend,
    model: {
      embedDim: 8,
      encoders: {
        image: { type: "compact-resnet", imageSize: 16, stemWidth: 4, widths: [4, 8] },
        text: { type: "bag-of-words", width: 8 },
      },
    },
    tokenizer: { type: "words" },
    data: { train: { type: "jsonl", path: "set.jsonl" } },
    schedule: { type: "cosine", learningRate: 0.01 },
    training: { steps: 12, batchSize: 4, checkpointEvery: 4, logEvery: 1 },
  };
  const file = join(folder, "config.ts");
  const text = `import { fakePlugin } from ${JSON.stringify(FIXTURE)};
export default { plugins: [fakePlugin], ...${JSON.stringify(config)} };
`;
  await writeFile(file, text);
  return { folder, file };
}
