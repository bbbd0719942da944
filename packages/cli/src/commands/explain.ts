/** `diptych explain`: which places of a picture speak for a text, as a heat map over it. */
import type { Command } from "commander";
import { Option } from "commander";
import { ConfigError } from "@diptych/core";
import {
  decodeImage,
  drawRelevance,
  encodePng,
  openInspector,
  RELEVANCE_METHODS,
  writeFileAtomically,
  type Relevance,
  type RelevanceMethod,
} from "diptych";
import {
  addModelOptions,
  openingOptions,
  positiveInteger,
  type ModelFlags,
} from "../clip-options.js";
import { listenForInterrupt } from "../interrupt.js";
import { formatTable } from "../table.js";

interface ExplainFlags extends ModelFlags {
  readonly out: string;
  readonly method?: RelevanceMethod;
  readonly block?: number | string;
  readonly size: number;
  readonly original: boolean;
  readonly json?: boolean;
}

export function addExplainCommand(program: Command): void {
  addModelOptions(
    program
      .command("explain")
      .description("draw which places of a picture speak for a text")
      .argument("<image>", "picture")
      .argument("<texts...>", "one or more texts: a panel each"),
  )
    .requiredOption("-o, --out <file>", "the PNG to write")
    .addOption(
      new Option(
        "--method <name>",
        "how (default: attention for transformers with a class token, else gradient)",
      ).choices(RELEVANCE_METHODS),
    )
    .option(
      "-b, --block <n|path>",
      "attention: the first block that counts; gradient: where features are read (default: the last that can be)",
      blockOf,
    )
    .option("--size <pixels>", "most pixels of a panel's longer side", positiveInteger, 1024)
    .option("--no-original", "leave out the first panel, the picture alone")
    .option("--json", "print the maps as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych explain park.jpg "a dog" "a tree" -m openai/clip-vit-base-patch32 -o park.png
  $ diptych explain park.jpg "a dog" -m runs/a/model -o all.png --method attention --block 0
  $ diptych explain park.jpg "a dog" -m runs/a/model -o map.png --method gradient --block image/layer3

Methods:
  attention  attention weighted by the gradient of the similarity, followed back through the blocks
             (Chefer, Gur and Wolf 2021); from the last block on, --block 0 for all of them
  gradient   gradient times feature, place by place, on a feature map or on patch tokens: what the
             similarity would lose were the place like the average one
  grad-cam   the same with one weight a channel (Selvaraju et al. 2017), for towers that end in a mean

Panels from left to right: the picture, then one a text. Bright places speak for the text; each
panel has its own scale. What the model does not see (cropped off) is dark.`,
    )
    .action(runExplain);
}

/** A number, negative from the end, or a path name. */
function blockOf(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

async function runExplain(
  image: string,
  texts: readonly string[],
  flags: ExplainFlags,
): Promise<void> {
  const { model, out, method, block } = flags;
  if (!/\.png$/i.test(out)) {
    throw new ConfigError(
      `cli/explain: --out: expected a file that ends in .png, got ${out}. Heat maps are written as PNG.`,
    );
  }
  const interrupt = listenForInterrupt("Stopping …");
  try {
    const picture = await decodeImage(image);
    const inspector = await openInspector(model, openingOptions(flags));
    try {
      const found = await inspector.relevance(image, texts, {
        ...(method === undefined ? {} : { method }),
        ...(block === undefined ? {} : { block }),
        signal: interrupt.signal,
      });
      const drawn = await drawRelevance(
        picture,
        found.map(({ map }) => map),
        {
          region: inspector.seenRegion(picture),
          maxSide: flags.size,
          original: flags.original,
        },
      );
      await writeFileAtomically(out, [await encodePng(drawn)]);
      process.stdout.write(flags.json ? jsonOf(found) : `${summary(found)}\nDrawn: ${out}\n`);
      warnOfEmpty(found);
    } finally {
      await inspector.dispose();
    }
  } finally {
    interrupt.dispose();
  }
}

function summary(found: readonly Relevance[]): string {
  const rows = found.map(({ text, similarity, method, path }) => [
    text,
    similarity.toFixed(4),
    method,
    path,
  ]);
  return formatTable(["text", "similarity", "method", "read from"], rows, [1]);
}

function jsonOf(found: readonly Relevance[]): string {
  const plain = found.map(
    ({
      map: {
        data,
        shape: [rows = 0, columns = 0],
      },
      ...rest
    }) => ({
      ...rest,
      map: Array.from({ length: rows }, (_, row) => [
        ...data.subarray(row * columns, (row + 1) * columns),
      ]),
    }),
  );
  return `${JSON.stringify(plain, null, 2)}\n`;
}

function warnOfEmpty(found: readonly Relevance[]): void {
  for (const { text, map, method } of found) {
    if (map.data.some((value) => value > 0)) continue;
    process.stderr.write(
      `No place speaks for "${text}" by ${method}: its panel is dark. Try another --method or --block.\n`,
    );
  }
}
