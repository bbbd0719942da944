// A data set of small pictures in plain colours, and the smallest configuration that trains on it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodePng } from "diptych";

/** Writes `<colour>.png` for each of `colours`, and `set.jsonl` with their captions. */
export async function writeSquares(folder: string, colours: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const [i, name] of colours.entries()) {
    const data = new Uint8Array(16 * 16 * 3).map((_, j) => ((i >> (j % 3)) & 1) * 200 + (j % 40));
    const png = await encodePng({ width: 16, height: 16, channels: 3, data });
    await writeFile(join(folder, `${name}.png`), png);
    lines.push(JSON.stringify({ image: `${name}.png`, caption: `a ${name} square` }));
  }
  await writeFile(join(folder, "set.jsonl"), lines.join("\n"));
}

/** Two tiny towers on the set beside the configuration; `changes` replace keys. */
export function squaresConfig(changes: Readonly<Record<string, unknown>> = {}): object {
  return {
    name: "tiny",
    model: {
      embedDim: 8,
      encoders: {
        image: { type: "compact-resnet", imageSize: 16, stemWidth: 4, widths: [4, 8] },
        text: { type: "bag-of-words", width: 8 },
      },
    },
    tokenizer: { type: "words" },
    data: { train: { type: "jsonl", path: "set.jsonl" } },
    training: { steps: 12, batchSize: 4 },
    ...changes,
  };
}
