/** From a trained run to the page: measures the model, picks pictures and phrases to show, and writes the files. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Image } from "@diptych/core";
import {
  cacheFolder,
  encodePng,
  loadClip,
  loadEmojiSet,
  measureEmoji,
  readJsonlLog,
  writeFileAtomically,
  type EmojiConfig,
  type OpenedConfig,
  type PhraseResult,
  type PictureGuesses,
  type TrainSummary,
} from "diptych";
import { renderReport } from "./page.js";
import type {
  GuessedPicture,
  LossPoint,
  ModelReport,
  QuickstartResult,
  Search,
} from "./report-data.js";

/** Phrases as a person would type them. */
const PHRASES: readonly string[] = [
  "a cat that laughs",
  "something sweet to eat",
  "red flower",
  "fast train",
  "music",
  "angry face",
  "animal in the sea",
  "sports ball",
  "hot drink",
  "tools for repair",
  "the moon at night",
  "musical instrument with strings",
];

export interface MeasureContext {
  readonly summary: TrainSummary;
  readonly opened: OpenedConfig;
  readonly emoji: EmojiConfig;
  readonly renderSeconds: number;
  readonly signal: AbortSignal;
}

/** Measures the model of a run folder and gathers all that the page shows of it. */
export async function measureModel(folder: string, context: MeasureContext): Promise<ModelReport> {
  const { summary, opened, emoji, renderSeconds, signal } = context;
  const set = await loadEmojiSet({
    baseDir: opened.baseDir,
    cacheDir: cacheFolder(),
    imageSize: emoji.imageSize,
    ...(emoji.limit === undefined ? {} : { limit: emoji.limit }),
  });
  const clip = await loadClip(join(folder, "model"), { plugins: opened.customPlugins });
  try {
    const encode = { images: clip.encodeImages, texts: clip.encodeTexts };
    const test = await measureEmoji({ encode, set, config: emoji, signal });
    const seconds = trainedSeconds(folder);
    const result: QuickstartResult = {
      ...test.measures,
      seconds,
      renderSeconds,
      images: summary.images,
      steps: summary.step,
      params: summary.params,
      backend: summary.backend,
      precision: summary.precision,
      skippedSteps: summary.skippedSteps,
      seed: summary.seed,
    };
    return {
      title: opened.config.name,
      summary: describeModel(opened),
      result,
      losses: lossPoints(folder),
      pictures: await Promise.all(test.guess("heldOutStyle", 30).map(showGuess)),
      unseen: await Promise.all(test.guess("heldOutConcepts", 12).map(showGuess)),
      searches: await Promise.all((await test.search(PHRASES, 8)).map(showSearch)),
    };
  } finally {
    await clip.dispose();
  }
}

/** Writes `report.html` and, for the main model, `result.json`; gives back the page's path. */
export async function writeReport(out: string, latest: string): Promise<string> {
  const models = await readModels(out);
  const page = join(out, "report.html");
  await writeFileAtomically(page, [Buffer.from(renderReport(models.map((model) => model.report)))]);
  // The main configuration's result stands at the top; another one's only until that is there.
  const main =
    models.find(({ name }) => name === MAIN) ?? models.find(({ folder }) => folder === latest);
  if (main) {
    await writeFileAtomically(join(out, "result.json"), [
      Buffer.from(`${JSON.stringify(main.report.result, null, 2)}\n`),
    ]);
  }
  return page;
}

/** Name of the configuration whose result is the quickstart's. */
const MAIN = "emoji-quickstart";

async function readModels(
  out: string,
): Promise<readonly { name: string; folder: string; report: ModelReport }[]> {
  const names = (await readdir(out)).filter((name) => existsSync(join(out, name, "report.json")));
  names.sort((a, b) => Number(b === MAIN) - Number(a === MAIN) || a.localeCompare(b));
  return Promise.all(
    names.map(async (name) => {
      const folder = join(out, name);
      const text = await readFile(join(folder, "report.json"), "utf8");
      return { name, folder, report: JSON.parse(text) as ModelReport };
    }),
  );
}

function describeModel({ config }: OpenedConfig): string {
  const towers = Object.entries(config.model.encoders).map(
    ([modality, part]) => `${modality}: ${part.declaration.type}`,
  );
  return `${towers.join(", ")}; loss: ${config.loss.declaration.type}; ${config.model.embedDim} dimensions.`;
}

function lossPoints(folder: string): readonly LossPoint[] {
  return readJsonlLog(join(folder, "log.jsonl")).flatMap((record) =>
    // A step that was skipped in float16 may have no loss.
    record.event === "step" && Number.isFinite(record["loss"])
      ? [{ step: Number(record["step"]), loss: Number(record["loss"]) }]
      : [],
  );
}

/** Of all parts of the run: a resumed one has several. */
function trainedSeconds(folder: string): number {
  return readJsonlLog(join(folder, "log.jsonl"))
    .filter((record) => record.event === "end")
    .reduce((total, record) => total + Number(record["seconds"]), 0);
}

async function dataUrl(image: Image): Promise<string> {
  return `data:image/png;base64,${Buffer.from(await encodePng(image)).toString("base64")}`;
}

async function showGuess({ image, name, guesses }: PictureGuesses): Promise<GuessedPicture> {
  return { picture: await dataUrl(image), name, guesses };
}

async function showSearch({ phrase, found }: PhraseResult): Promise<Search> {
  const pictures = found.map(async ({ image, name }) => ({ picture: await dataUrl(image), name }));
  return { phrase, found: await Promise.all(pictures) };
}
