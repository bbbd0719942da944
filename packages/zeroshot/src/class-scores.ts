/** Scores of pictures against classes: similarity of features, or what the model's loss taught it to score. */
import { DataError, type EvaluationContext, type Image, type Sample } from "@diptych/core";
import { embedPrompts, usersOf } from "./class-weights.js";
import { embedDataset } from "./embed-dataset.js";
import { cachedFeatures, contentHash } from "./features/cached-features.js";
import type { ClassPrompts } from "./prompts/class-prompts.js";
import { similarities, type Embeddings } from "./ranking.js";

export interface ClassScores {
  /** What the dataset gave for each item, without its pictures. */
  readonly samples: readonly Omit<Sample, "images">[];
  /** Scores of an item against all classes, in float64; larger fits better. */
  readonly of: (item: number) => Float64Array;
}

/** Asked for when it is the classes' turn; `samples` are needed only where the classes are those that occur. */
export type PromptsFor = (
  samples: () => Promise<readonly Omit<Sample, "images">[]>,
) => Promise<ClassPrompts>;

/** Cosines of each picture with the class weights. */
export async function scoreByFeatures(
  context: EvaluationContext,
  promptsFor: PromptsFor,
): Promise<ClassScores> {
  const { encode, signal, report, dataset } = context;
  const { samples, images, imageSample } = await embedDataset(context, { texts: false });
  checkOnePictureEach(imageSample, samples, dataset.name);
  const { prompts } = await promptsFor(() => Promise.resolve(samples));
  const { weights } = await cachedFeatures(context.cache, {
    key: { what: "class weights", content: contentHash(prompts) },
    compute: async () => ({
      weights: await embedPrompts(prompts, {
        encode,
        signal,
        report: report && ((done, total) => report(samples.length + done, samples.length + total)),
      }),
    }),
    restore: (features) => {
      const found = features.get("weights");
      const fits = found?.dtype === "float32" && found.shape[0] === prompts.length;
      return fits ? { weights: found as Embeddings } : undefined;
    },
    store: (found) => new Map([["weights", found.weights]]),
  });
  return Object.freeze({ samples, of: (item: number) => similarities(images, item, weights) });
}

/**
 * Mean over a class's prompts of the model's own score of picture and prompt, for models that rank by likelihood.
 *
 * @throws DataError where the model has no such score
 */
export async function scoreByLoss(
  context: EvaluationContext,
  promptsFor: PromptsFor,
): Promise<ClassScores> {
  const { score, dataset, random, signal, report } = context;
  if (!score) {
    throw new DataError(
      `zeroshot/classification: scores: expected a model whose loss scores pairs of picture and text (as captioning does), got one without. Set scores: "features", or train with such a loss.`,
    );
  }
  const samples: Omit<Sample, "images">[] = [];
  const pictures: Image[] = [];
  const rows: Float64Array[] = [];
  let ensemble: Ensemble | undefined;
  for (let i = 0; i < dataset.size; i++) {
    signal?.throwIfAborted();
    const { images, ...rest } = await dataset.sample(i, { random: random.split(i), images: 1 });
    checkOnePictureEach(
      images.map(() => 0),
      [rest],
      dataset.name,
    );
    samples.push(rest);
    pictures.push(...images);
    if (pictures.length < PICTURES_AT_ONCE && i + 1 < dataset.size) continue;
    ensemble ??= createEnsemble(await promptsFor(() => labelsOnly(context)));
    const { data } = await score(pictures.splice(0), ensemble.texts);
    for (let at = 0; at < data.length; at += ensemble.texts.length)
      rows.push(ensemble.average(data.subarray(at, at + ensemble.texts.length)));
    report?.(i + 1, dataset.size);
  }
  return Object.freeze({ samples, of: (item: number) => rows[item] ?? new Float64Array(0) });
}

const PICTURES_AT_ONCE = 32;

/** What the samples say without their pictures, which are not read for it. */
async function labelsOnly({
  dataset,
  random,
  signal,
}: EvaluationContext): Promise<readonly Omit<Sample, "images">[]> {
  const samples: Omit<Sample, "images">[] = [];
  for (let i = 0; i < dataset.size; i++) {
    signal?.throwIfAborted();
    const request = { random: random.split(i), images: 0 };
    const { images: _none, ...rest } = await dataset.sample(i, request);
    samples.push(rest);
  }
  return samples;
}

interface Ensemble {
  readonly texts: readonly string[];
  /** Means over each class's prompts, from scores of all texts. */
  readonly average: (scores: Float32Array) => Float64Array;
}

function createEnsemble({ prompts }: ClassPrompts): Ensemble {
  const users = usersOf(prompts);
  const texts = [...users.keys()];
  return {
    texts,
    average: (scores) => {
      const means = new Float64Array(prompts.length);
      texts.forEach((text, i) => {
        for (const index of users.get(text) ?? [])
          means[index] = (means[index] ?? 0) + (scores[i] ?? NaN) / (prompts[index]?.length ?? 1);
      });
      return means;
    },
  };
}

/** A sample without a picture would shift all that follow. */
function checkOnePictureEach(
  imageSample: readonly number[],
  samples: readonly { readonly id: string }[],
  dataset: string,
): void {
  const wrong = samples.findIndex((_, i) => imageSample[i] !== i);
  if (wrong < 0 && imageSample.length === samples.length) return;
  throw new DataError(
    `zeroshot/classification: sample ${samples[wrong]?.id ?? ""} of ${dataset}: expected one picture, got ${imageSample.filter((sample) => sample === wrong).length}. Leave it out of the set.`,
  );
}
