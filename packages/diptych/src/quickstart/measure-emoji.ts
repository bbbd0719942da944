/**
 * What the quickstart measures on the emoji set's test family: naming pictures in a style that training never saw, and
 * naming concepts that it never saw. The same queries go to the pixel nearest-neighbour baseline.
 */
import type { EncodeFunctions, Image } from "@diptych/core";
import {
  createEmojiDataset,
  emojiPixelBaseline,
  type EmojiConfig,
  type EmojiDataset,
  type EmojiSet,
} from "@diptych/data";
import {
  buildClassWeights,
  classify,
  similarities,
  topCandidates,
  type Embeddings,
} from "@diptych/zeroshot";

/** Share of right answers among the first guess and the first five. */
export interface TopShares {
  readonly top1: number;
  readonly top5: number;
}

export interface EmojiMeasures {
  readonly heldOutStyle: TopShares & {
    readonly queries: number;
    readonly candidates: number;
    readonly chance: number;
    readonly pixelTop1: number;
  };
  readonly heldOutConcepts: {
    readonly queries: number;
    /** Among the names of the held-out concepts alone. */
    readonly among224: TopShares;
    /** Among the names of all concepts. */
    readonly amongAll: TopShares;
  };
}

/** Names that are given to a picture, best first. */
export interface PictureGuesses {
  readonly image: Image;
  readonly name: string;
  readonly guesses: readonly { readonly name: string; readonly similarity: number }[];
}

export interface PhraseResult {
  readonly phrase: string;
  readonly found: readonly { readonly image: Image; readonly name: string }[];
}

/** Test pictures embedded once, with the names of all concepts. */
export interface EmojiTest {
  readonly measures: EmojiMeasures;
  /** Guesses for `count` test pictures, spread evenly, of trained or of held-out concepts. */
  guess(part: "heldOutStyle" | "heldOutConcepts", count: number): readonly PictureGuesses[];
  /** The test pictures nearest to each phrase. */
  search(phrases: readonly string[], count: number): Promise<readonly PhraseResult[]>;
}

export interface MeasureOptions {
  readonly encode: EncodeFunctions;
  readonly set: EmojiSet;
  /** What the model was trained on. */
  readonly config: EmojiConfig;
  /** Prompts of a name, averaged. */
  readonly templates?: readonly string[];
  readonly signal?: AbortSignal;
}

interface Part {
  readonly dataset: EmojiDataset;
  readonly images: readonly Image[];
  readonly embeddings: Embeddings;
}

/** Embeds the test family and all names, and measures. */
export async function measureEmoji(options: MeasureOptions): Promise<EmojiTest> {
  const { encode, set, config, templates = ["{}"], signal } = options;
  const names = set.concepts.map((concept) => concept.name);
  const weights = await buildClassWeights({ encode, classNames: names, templates });
  const style = await embedPart(options, "heldOutStyle");
  const concepts = await embedPart(options, "heldOutConcepts");
  signal?.throwIfAborted();
  const styleResult = classify(style.embeddings, weights, style.dataset.conceptIndices);
  const unseen = concepts.dataset.conceptIndices;
  const unseenWeights = rowsOf(weights, unseen);
  const own = classify(
    concepts.embeddings,
    unseenWeights,
    unseen.map((_, i) => i),
  );
  const all = classify(concepts.embeddings, weights, unseen);
  const pixels = await emojiPixelBaseline(set, config, signal);
  const shares = ({ metrics }: typeof own): TopShares => ({
    top1: metrics["top1"]?.value ?? NaN,
    top5: metrics["top5"]?.value ?? NaN,
  });
  const measures: EmojiMeasures = {
    heldOutStyle: {
      ...shares(styleResult),
      queries: style.images.length,
      candidates: names.length,
      chance: 1 / names.length,
      pixelTop1: pixels.top1,
    },
    heldOutConcepts: {
      queries: concepts.images.length,
      among224: shares(own),
      amongAll: shares(all),
    },
  };
  const guessers = {
    heldOutStyle: { part: style, weights, names },
    heldOutConcepts: {
      part: concepts,
      weights: unseenWeights,
      names: unseen.map((concept) => names[concept] ?? ""),
    },
  };
  return Object.freeze({
    measures,
    guess: (which: keyof typeof guessers, count: number) => {
      const { part, weights: candidates, names: candidateNames } = guessers[which];
      return spread(part.images.length, count).map((row) => {
        const scores = similarities(part.embeddings, row, candidates);
        return {
          image: part.images[row] as Image,
          name: names[part.dataset.conceptIndices[row] ?? 0] ?? "",
          guesses: topCandidates(scores, 3).map((candidate) => ({
            name: candidateNames[candidate] ?? "",
            similarity: scores[candidate] ?? NaN,
          })),
        };
      });
    },
    search: (phrases: readonly string[], count: number) =>
      search(encode, [style, concepts], phrases, count),
  });
}

async function embedPart(
  { encode, set, config }: MeasureOptions,
  part: EmojiConfig["part"],
): Promise<Part> {
  const dataset = createEmojiDataset(set, { ...config, part });
  const images = dataset.families.flatMap((family) =>
    dataset.conceptIndices.map((concept) => set.picture(family, concept)),
  );
  return { dataset, images, embeddings: await encode.images(images) };
}

async function search(
  encode: EncodeFunctions,
  parts: readonly Part[],
  phrases: readonly string[],
  count: number,
): Promise<readonly PhraseResult[]> {
  const queries = await encode.texts(phrases);
  return phrases.map((phrase, query) => {
    const scored = parts.flatMap(({ dataset, images, embeddings }) => {
      const scores = similarities(queries, query, embeddings);
      return topCandidates(scores, count).map((row) => ({
        image: images[row] as Image,
        name: dataset.set.concepts[dataset.conceptIndices[row] ?? 0]?.name ?? "",
        score: scores[row] ?? -Infinity,
      }));
    });
    scored.sort((a, b) => b.score - a.score);
    return { phrase, found: scored.slice(0, count).map(({ image, name }) => ({ image, name })) };
  });
}

function rowsOf(embeddings: Embeddings, rows: readonly number[]): Embeddings {
  const width = embeddings.shape[1] ?? 0;
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    data.set(embeddings.data.subarray(row * width, (row + 1) * width), i * width);
  });
  return { dtype: "float32", shape: [rows.length, width], data };
}

/** `count` positions spread evenly over `size`. */
function spread(size: number, count: number): readonly number[] {
  const taken = Math.min(size, count);
  return Array.from({ length: taken }, (_, i) => Math.floor(((i + 0.5) * size) / taken));
}
