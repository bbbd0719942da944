/** Zero-shot classification: each picture against the class weights (CLIP §3.1), or against what the model's loss scores. */
import type { Evaluation, EvaluationContext, Evaluator } from "@diptych/core";
import { mainMetricOf, type ClassificationConfig } from "./classification-config.js";
import { scoreByFeatures, scoreByLoss } from "./class-scores.js";
import { resolveTargets, type ClassTargets, type LabelledSample } from "./class-targets.js";
import { evaluateMultiLabel, evaluateSingleLabel } from "./classification-results.js";
import { fillPrompts, namesIn, readClassNames, readTemplates } from "./prompts/class-prompts.js";

/** What CLIP_benchmark multiplies similarities with. */
const CLIP_SCALE = 100;

export function createClassification(
  config: ClassificationConfig,
  { baseDir }: { readonly baseDir: string },
): Evaluator {
  return Object.freeze({
    name: "zeroshot-classification",
    mainMetric: mainMetricOf(config),
    evaluate: (context: EvaluationContext) => evaluate(context, config, baseDir),
  } satisfies Evaluator);
}

async function evaluate(
  context: EvaluationContext,
  config: ClassificationConfig,
  baseDir: string,
): Promise<Evaluation> {
  const { dataset, signal } = context;
  const { label, labelIs, multiLabel } = config;
  // Whatever can be wrong with files and labels is found before the pictures are embedded, which may take hours.
  const templates = await readTemplates(config.templates, baseDir);
  const given = (await readClassNames(config.classNames, baseDir)) ?? namesIn(templates);
  const promptsGiven = given && fillPrompts(given, templates);
  const named = { dataset: dataset.name, label, labelIs, multiLabel, classNames: given };
  const targetsOf = (samples: readonly LabelledSample[]): ClassTargets =>
    resolveTargets(samples, named);
  // One sample has one of the sorted names, which says nothing of the others.
  if (dataset.size > 0 && labelIs !== "sorted") targetsOf([await firstLabels(context)]);
  const byLoss = config.scores === "loss" || (config.scores === "own" && !!context.score);
  const score = byLoss ? scoreByLoss : scoreByFeatures;
  const scores = await score(
    context,
    async (samples) =>
      promptsGiven ?? fillPrompts(targetsOf(await samples()).classNames, templates),
  );
  const { targets } = targetsOf(scores.samples);
  const scale = config.scale ?? (byLoss ? 1 : (context.similarityScale ?? CLIP_SCALE));
  const asked = { scores, targets, scale, config, signal };
  return multiLabel ? evaluateMultiLabel(asked) : evaluateSingleLabel(asked);
}

async function firstLabels({ dataset, random }: EvaluationContext): Promise<LabelledSample> {
  return dataset.sample(0, { random: random.split(0), images: 0 });
}
