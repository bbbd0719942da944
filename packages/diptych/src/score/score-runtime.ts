/** Scores of pictures and texts by what a loss taught, in blocks: towers once a picture, pairs as many as memory allows. */
import {
  createHostTensor,
  InternalError,
  type DeviceTensor,
  type Executable,
  type Feed,
  type Graph,
  type HostTensor,
  type MultiEncoder,
} from "@diptych/core";
import {
  DEFAULT_BATCH,
  type EncodeOptions,
  type EncoderRuntimeOptions,
  type ImageSource,
} from "../encode/encoder-runtime.js";
import { prepareAhead } from "../encode/prepare-ahead.js";
import { planTextBatches, tokenRows } from "../encode/text-batches.js";
import { compileWithParameters } from "../encode/tower.js";
import type { ScorePlan } from "./plan-scores.js";
import { chooseScoreBlocks, type ScoreBlocks } from "./score-blocks.js";

/** As for embedding; `batchSize` is of pictures in one run at most. */
export interface ScoreRuntimeOptions extends EncoderRuntimeOptions {
  readonly plan: ScorePlan;
  /** Bytes that one run may take, as estimated; 256 MB by default. */
  readonly memory?: number;
}

/** Progress counts pairs. */
export type ScoreOptions = Pick<EncodeOptions, "signal" | "onProgress">;

/** float32 [images, texts], larger where a text fits a picture better. */
export type Score = (
  images: readonly ImageSource[],
  texts: readonly string[],
  options?: ScoreOptions,
) => Promise<HostTensor<"float32">>;

export interface ScoreRuntime {
  readonly score: Score;
  readonly dispose: () => Promise<void>;
}

const DEFAULT_MEMORY = 256 * 2 ** 20;

/** Graphs are compiled when the first pair is scored. */
export function createScoreRuntime(options: ScoreRuntimeOptions): ScoreRuntime {
  let opening: Promise<Compiled> | undefined;
  const open = (): Promise<Compiled> => {
    opening ??= compile(options);
    // What failed to open is tried again by the next call.
    opening.catch(() => (opening = undefined));
    return opening;
  };
  return Object.freeze({
    score: async (
      images: readonly ImageSource[],
      texts: readonly string[],
      call: ScoreOptions = {},
    ) => {
      const data = new Float32Array(images.length * texts.length);
      if (data.length > 0) {
        await scoreAll({ options, compiled: await open(), ...call }, [images, texts], data);
      }
      return createHostTensor("float32", [images.length, texts.length], data);
    },
    dispose: async () => {
      const compiled = await opening?.catch(() => undefined);
      opening = undefined;
      for (const executable of Object.values(compiled?.executables ?? {}))
        await executable.dispose();
    },
  });
}

interface Compiled {
  /** `scores`, and each tower that pairs read. */
  readonly executables: Readonly<Record<string, Executable>>;
  readonly blocks: ScoreBlocks;
}

async function compile(options: ScoreRuntimeOptions): Promise<Compiled> {
  const { plan, tokenizer, batchSize = DEFAULT_BATCH, memory = DEFAULT_MEMORY } = options;
  const { contextLength } = tokenizer;
  const blocks = chooseScoreBlocks(plan, { ...options, contextLength, batchSize, memory });
  const ready: Executable[] = [];
  const one = async (graph: Graph): Promise<Executable> => {
    const executable = await compileWithParameters(graph, options);
    ready.push(executable);
    return executable;
  };
  const { image, text } = plan.towers;
  try {
    return {
      executables: {
        ...(image ? { image: await one(image) } : {}),
        ...(text ? { text: await one(text) } : {}),
        scores: await one(plan.scores),
      },
      blocks,
    };
  } catch (error) {
    for (const executable of ready) await executable.dispose();
    throw error;
  }
}

interface Scoring extends ScoreOptions {
  readonly options: ScoreRuntimeOptions;
  readonly compiled: Compiled;
}

type Inputs = readonly [images: readonly ImageSource[], texts: readonly string[]];

/** Fills `data` [images, texts], row after row of blocks; the next pictures are prepared while a block runs. */
async function scoreAll(
  scoring: Scoring,
  [images, texts]: Inputs,
  data: Float32Array,
): Promise<void> {
  const { options, compiled, signal, onProgress } = scoring;
  const { blocks } = compiled;
  const tokens = options.tokenizer.encodeBatch(texts);
  const batches = planTextBatches(tokens.lengths, blocks.texts);
  const { prepareImages } = options;
  const prepared = prepareAhead(images, { batchSize: blocks.images, prepareImages, signal });
  for await (const { first, pixels } of prepared) {
    await withTower(scoring, "image", pixels, async (pictures) => {
      for (const places of batches) {
        signal?.throwIfAborted();
        const ids = tokenRows(encoderOf(options.model, "text"), tokens, places, { step: 1 });
        const block = await withTower(scoring, "text", ids, (said) =>
          runScores(scoring, { ...pictures, ...said }),
        );
        const rows = block.shape[0] ?? 0;
        for (let row = 0; row < rows; row++)
          places.forEach((place, column) => {
            data[(first + row) * texts.length + place] =
              block.data[row * places.length + column] ?? 0;
          });
      }
      onProgress?.(Math.min(first + blocks.images, images.length) * texts.length, data.length);
    });
  }
}

type Feeds = Readonly<Record<string, Feed>>;

/** Calls `use` with what pairs may read of a batch of one modality: the tower's input and what it gives, on the device. */
async function withTower<T>(
  { options, compiled, signal }: Scoring,
  modality: "image" | "text",
  rows: HostTensor,
  use: (feeds: Feeds) => Promise<T>,
): Promise<T> {
  const [spec] = encoderOf(options.model, modality).inputs;
  const fed: Feeds = { [spec?.name ?? modality]: rows };
  const tower = compiled.executables[modality];
  if (!tower) return use(fed);
  const outputs: Readonly<Record<string, DeviceTensor>> = await tower.run(
    fed,
    signal ? { signal } : {},
  );
  try {
    return await use({ ...fed, ...outputs });
  } finally {
    for (const tensor of Object.values(outputs)) tensor.dispose();
  }
}

async function runScores({ compiled, signal }: Scoring, feeds: Feeds): Promise<HostTensor> {
  const executable = compiled.executables["scores"];
  if (!executable) throw new InternalError("diptych/score: scores: expected a graph, got none.");
  const wanted = Object.fromEntries(
    Object.entries(feeds).filter(([name]) => executable.inputNames.includes(name)),
  );
  const { scores } = await executable.run(wanted, signal ? { signal } : {});
  if (!scores) throw new InternalError("diptych/score: scores: expected an output, got none.");
  try {
    return await scores.read();
  } finally {
    scores.dispose();
  }
}

function encoderOf({ encoders }: MultiEncoder, modality: string): MultiEncoder["encoders"][string] {
  const encoder = encoders[modality];
  if (encoder) return encoder;
  throw new InternalError(`diptych/score: ${modality}: expected an encoder of it, got none.`);
}
