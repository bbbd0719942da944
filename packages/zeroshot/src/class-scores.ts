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
  /** Of the classes that the scores are of. */
  readonly prompts: ClassPrompts;
  /** Scores of an item against all classes, in float64; larger fits better. */
  readonly of: (item: number) => Float64Array;
}

/** The classes' prompts; `samples` are needed only where the classes are those that occur. */
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
  const pictures = new Uint32Array(samples.length);
  for (const sample of imageSample) pictures[sample] = (pictures[sample] ?? 0) + 1;
  samples.forEach(({ id }, i) => checkOnePicture(id, pictures[i] ?? 0, dataset.name));
  const prompts = await promptsFor(() => Promise.resolve(samples));
  const count = prompts.prompts.length;
  const weights = await cachedFeatures<Embeddings>(context.cache, {
    key: () => ({ what: "class weights", content: contentHash(prompts.prompts) }),
    compute: () =>
      embedPrompts(prompts.prompts, {
        encode,
        signal,
        report: report && ((done, total) => report(samples.length + done, samples.length + total)),
      }),
    restore: (features) => {
      const found = features.get("weights");
      const fits = found?.dtype === "float32" && found.shape[0] === count;
      return fits ? (found as Embeddings) : undefined;
    },
    store: (found) => new Map([["weights", found]]),
  });
  const of = (item: number): Float64Array => similarities(images, item, weights);
  return Object.freeze({ samples, prompts, of });
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
  const prompts = await promptsFor(() => labelsOnly(context));
  const { texts, average } = createEnsemble(prompts);
  const samples: Omit<Sample, "images">[] = [];
  const pictures: Image[] = [];
  const rows: Float64Array[] = [];
  for (let i = 0; i < dataset.size; i++) {
    signal?.throwIfAborted();
    const { images, ...rest } = await dataset.sample(i, { random: random.split(i), images: 1 });
    checkOnePicture(rest.id, images.length, dataset.name);
    samples.push(rest);
    pictures.push(...images);
    if (pictures.length < PICTURES_AT_ONCE && i + 1 < dataset.size) continue;
    const { data } = await score(pictures.splice(0), texts);
    for (let at = 0; at < data.length; at += texts.length)
      rows.push(average(data.subarray(at, at + texts.length)));
    report?.(i + 1, dataset.size);
  }
  const of = (item: number): Float64Array => rows[item] ?? new Float64Array(0);
  return Object.freeze({ samples, prompts, of });
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
function checkOnePicture(id: string, pictures: number, dataset: string): void {
  if (pictures === 1) return;
  throw new DataError(
    `zeroshot/classification: sample ${id} of ${dataset}: expected one picture, got ${pictures}. Leave it out of the set.`,
  );
}
