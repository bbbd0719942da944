/** Zero-shot classification: each picture against the class weights (CLIP §3.1), or against what the model's loss scores. */
import type { Evaluation, EvaluationContext, Evaluator, Sample } from "@diptych/core";
import type { ClassificationConfig } from "./classification-config.js";
import { scoreByFeatures, scoreByLoss, type ClassScores } from "./class-scores.js";
import { resolveTargets, type ClassTargets, type LabelledSample } from "./class-targets.js";
import { evaluateMultiLabel, evaluateSingleLabel } from "./classification-results.js";
import {
  fillPrompts,
  namesIn,
  readClassNames,
  readTemplates,
  type ClassPrompts,
  type Templates,
} from "./prompts/class-prompts.js";

/** What CLIP_benchmark multiplies similarities with. */
const CLIP_SCALE = 100;

export function createClassification(
  config: ClassificationConfig,
  { baseDir }: { readonly baseDir: string },
): Evaluator {
  return Object.freeze({
    name: "zeroshot-classification",
    mainMetric: config.multiLabel ? "meanAveragePrecision" : "top1",
    evaluate: (context: EvaluationContext) => evaluate(context, config, baseDir),
  } satisfies Evaluator);
}

async function evaluate(
  context: EvaluationContext,
  config: ClassificationConfig,
  baseDir: string,
): Promise<Evaluation> {
  // Whatever can be wrong with files and labels is found before the pictures are embedded, which may take hours.
  const templates = await readTemplates(config.templates, baseDir);
  const given = (await readClassNames(config.classNames, baseDir)) ?? namesIn(templates);
  const classes = createClasses(context, config, { templates, given });
  await classes.checkFirst();
  const byLoss = config.scores === "loss" || (config.scores === "own" && !!context.score);
  const score = byLoss ? scoreByLoss : scoreByFeatures;
  const scores: ClassScores = await score(context, async (samples) =>
    classes.promptsOf(given ?? classes.targetsOf(await samples()).classNames),
  );
  const { classNames, targets } = classes.targetsOf(scores.samples);
  const { firstLike } = classes.promptsOf(classNames);
  const scale = config.scale ?? (byLoss ? 1 : (context.similarityScale ?? CLIP_SCALE));
  const asked = { scores, targets, classNames, firstLike, scale, config, signal: context.signal };
  return config.multiLabel ? evaluateMultiLabel(asked) : evaluateSingleLabel(asked);
}

interface Classes {
  readonly targetsOf: (samples: readonly LabelledSample[]) => ClassTargets;
  readonly promptsOf: (classNames: readonly string[]) => ClassPrompts;
  /** Of the first sample, as far as one sample can show. */
  readonly checkFirst: () => Promise<void>;
}

function createClasses(
  { dataset, random }: EvaluationContext,
  { label, labelIs, multiLabel }: ClassificationConfig,
  {
    templates,
    given,
  }: { readonly templates: Templates; readonly given?: readonly string[] | undefined },
): Classes {
  const options = { dataset: dataset.name, label, multiLabel };
  let last: ClassPrompts | undefined;
  const promptsOf = (classNames: readonly string[]): ClassPrompts => {
    if (last?.classNames !== classNames) last = fillPrompts(classNames, templates);
    return last;
  };
  const targetsOf = (samples: readonly LabelledSample[]): ClassTargets =>
    resolveTargets(samples, { ...options, labelIs, classNames: given });
  return {
    targetsOf,
    promptsOf,
    checkFirst: async () => {
      if (given) promptsOf(given);
      if (dataset.size === 0) return;
      const first: Sample = await dataset.sample(0, { random: random.split(0), images: 0 });
      // One sample has one of the sorted names, which says nothing of the others.
      if (labelIs !== "sorted") targetsOf([first]);
    },
  };
}
