/** Distillation: a student learns from what a trained model says of the same pictures and texts. */
import {
  add,
  argmax,
  cast,
  checkShapes,
  ConfigError,
  equal,
  exp,
  l2Normalize,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  softmax,
  stopGradient,
  sub,
  sum,
  symbolDim,
  torchDefault,
  type Dim,
  type InputSpec,
  type Loss,
  type LossInputs,
  type LossOutput,
  type ParamScope,
  type Value,
} from "@diptych/core";
import { auxiliaryOf, featuresOf, IMAGE_AND_TEXT } from "./similarity.js";

const WHERE = "losses/distillation";

export interface DistillationOptions {
  /** Path or name of the teacher's model, as `loadClip` takes it. */
  readonly teacher: string;
  /** What of the teacher is imitated; `similarities` by default. */
  readonly match?: "similarities" | "features";
  /** Image and text by default; two for similarities. */
  readonly modalities?: readonly string[];
  /** Width of the teacher's features; needed to match features, any for similarities. */
  readonly teacherDim?: number;
}

/**
 * What a student loses by differing from a teacher, whose normalised features and scale the run feeds (`teachers`).
 * With v, s the student's normalised features of rows and columns, v', s' the teacher's, σ' its scale:
 *
 * `similarities`: (H(rows) + H(columns))/2, H the mean over rows of −Σⱼ p'ⱼ log pⱼ, p = softmax(exp(logitScale)·v·sᵀ),
 * p' = softmax(σ'·v'·s'ᵀ), each along the row (column). open_clip's DistillClipLoss (loss.py `dist_loss`); half of
 * TinyCLIP's affinity mimicking (arXiv:2309.12314 §3.1); the gradient of CLIP-KD's contrastive relational distillation
 * (arXiv:2307.12732 §3). Its least is the teacher's entropy, which `divergence` leaves out: 0 where both agree. Widths
 * need not be equal. A teacher's bias cancels in the softmax. Sees all features of the batch.
 *
 * `features`: Σ over modalities of the mean over samples of ‖v' − v‖² = 2 − 2·cos (CLIP-KD §3, feature distillation;
 * its code takes the mean over the width too, so that its weight of 2000 is 2000/width here). A student of another
 * width gets a linear map with bias a modality, `<modality>_projection.weight` [teacherDim, embedDim], and
 * v = normalise(W·v + b): unlike there, from normalised features. A mean over samples.
 *
 * Metrics: `divergence`, and `agreement` (share of rows whose best column is the teacher's); for features
 * `<modality>Cosine`.
 *
 * @throws ConfigError for similarities of other than two modalities, or features without `teacherDim`.
 * @example
 * loss: weightedSum({ terms: [{ loss: infoNce() }, { loss: distillation({ teacher: "runs/large/model" }) }] })
 */
export function createDistillation(options: DistillationOptions): Loss {
  const { teacher, match = "similarities", modalities = IMAGE_AND_TEXT, teacherDim } = options;
  checkOptions({ ...options, modalities, match });
  // A width that is left open is another input than one that is known: one input has one shape.
  const known = teacherDim === undefined ? "" : `.${teacherDim}`;
  const inputs = Object.fromEntries(
    modalities.map((modality) => [modality, inputName(teacher, `${modality}${known}`)]),
  );
  const width = teacherDim ?? symbolDim(widthSymbol(teacher));
  const features = Object.entries(inputs).map(([modality, name]) =>
    featureInput(name, modality, width),
  );
  const shared = { needs: Object.freeze(["features"] as const), name: "distillation" };
  if (match === "features") {
    return Object.freeze({
      ...shared,
      auxiliary: Object.freeze(features),
      scope: "sample",
      teachers: Object.freeze([Object.freeze({ model: teacher, inputs })]),
      build: ({ scope }, given) => buildFeatureLoss(given, { scope, inputs }),
    } satisfies Loss);
  }
  const scale = inputName(teacher, "scale");
  const [rows = "image", columns = "text"] = modalities;
  return Object.freeze({
    ...shared,
    auxiliary: Object.freeze([
      ...features,
      Object.freeze({ name: scale, shape: Object.freeze([]), dtype: "float32" as const }),
    ]),
    scope: "batch",
    teachers: Object.freeze([Object.freeze({ model: teacher, inputs, scale })]),
    build: (_context, given) => buildSimilarityLoss(given, { rows, columns, inputs, scale }),
  } satisfies Loss);
}

function checkOptions({
  match,
  modalities,
  teacherDim,
}: Required<Pick<DistillationOptions, "match" | "modalities">> & DistillationOptions): void {
  if (match === "similarities" && modalities.length !== 2) {
    throw new ConfigError(
      `${WHERE}: modalities: expected two to compare, got ${modalities.join(", ") || "none"}. Name two, or set match: "features".`,
    );
  }
  if (match === "features" && teacherDim === undefined) {
    throw new ConfigError(
      `${WHERE}: teacherDim: expected the width of the teacher's features to match them, got none. Set it, e.g. teacherDim: 512 for ViT-B/32.`,
    );
  }
}

/** Terms that learn from one teacher share what it is fed as; terms of different teachers never do. */
function inputName(teacher: string, what: string): string {
  return `teacher.${teacher}.${what}`;
}

/** An identifier of its own for each teacher: other characters than letters and digits by their code. */
function widthSymbol(teacher: string): string {
  return `teacherDim_${teacher.replace(/[^A-Za-z0-9]/gu, (one) => `_${(one.codePointAt(0) ?? 0).toString(16)}_`)}`;
}

function featureInput(name: string, modality: string, width: Dim): InputSpec {
  return Object.freeze({
    name,
    shape: Object.freeze([symbolDim(`${modality}Batch`), width]),
    dtype: "float32",
  });
}

interface SimilarityNames {
  readonly rows: string;
  readonly columns: string;
  /** Auxiliary inputs of the teacher's features by modality, and of its scale. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly scale: string;
}

function buildSimilarityLoss(given: LossInputs, names: SimilarityNames): LossOutput {
  const { rows: rowName, columns: columnName, inputs, scale } = names;
  const rows = featuresOf(WHERE, given, rowName);
  const columns = featuresOf(WHERE, given, columnName);
  const teacherRows = auxiliaryOf(WHERE, given, inputs[rowName] ?? "");
  const teacherColumns = auxiliaryOf(WHERE, given, inputs[columnName] ?? "");
  checkShapes(
    WHERE,
    [rows, rowName, ["rowBatch", "embedDim"]],
    [columns, columnName, ["columnBatch", "embedDim"]],
    [teacherRows, inputs[rowName] ?? "", ["rowBatch", "teacherDim"]],
    [teacherColumns, inputs[columnName] ?? "", ["columnBatch", "teacherDim"]],
  );
  const teacherScale = auxiliaryOf(WHERE, given, scale);
  // As open_clip: the scale goes into the rows first, so that rounding is the same.
  const logits = matmul(mul(rows, exp(given.logitScale)), columns, { transposeB: true });
  const teacherLogits = stopGradient(
    matmul(mul(teacherRows, teacherScale), teacherColumns, { transposeB: true }),
  );
  const ways = ([1, 0] as const).map((axis) => buildOneWay(logits, teacherLogits, axis));
  const halfSum = (part: "loss" | "entropy"): Value =>
    mul(
      ways.map((way) => way[part]).reduce((a, b) => add(a, b)),
      0.5,
    );
  const loss = halfSum("loss");
  return {
    loss,
    metrics: {
      divergence: sub(loss, halfSum("entropy")),
      agreement: mean(cast(equal(argmax(logits, 1), argmax(teacherLogits, 1)), "float32")),
    },
  };
}

/** Cross-entropy of the student's distributions along `axis` to the teacher's, and the teacher's own entropy: means over the other axis. */
function buildOneWay(
  logits: Value,
  teacherLogits: Value,
  axis: 0 | 1,
): { readonly loss: Value; readonly entropy: Value } {
  const target = softmax(teacherLogits, axis);
  const against = (logProbabilities: Value): Value =>
    neg(mean(sum(mul(target, logProbabilities), { axes: [axis] })));
  return {
    loss: against(logSoftmax(logits, axis)),
    entropy: against(logSoftmax(teacherLogits, axis)),
  };
}

function buildFeatureLoss(
  given: LossInputs,
  {
    scope,
    inputs,
  }: { readonly scope: ParamScope; readonly inputs: Readonly<Record<string, string>> },
): LossOutput {
  const metrics: Record<string, Value> = {};
  const terms = Object.entries(inputs).map(([modality, name]) => {
    const features = featuresOf(WHERE, given, modality);
    const teacher = auxiliaryOf(WHERE, given, name);
    const { embedDim, teacherDim } = checkShapes(
      WHERE,
      [features, modality, ["batch", "embedDim"]],
      [teacher, name, ["batch", "teacherDim"]],
    );
    const mapped =
      embedDim === teacherDim
        ? features
        : project(features, scope.child(`${modality}_projection`), {
            from: Number(embedDim),
            to: Number(teacherDim),
          });
    const off = sub(mapped, stopGradient(teacher));
    const distance = mean(sum(mul(off, off), { axes: [1] }));
    metrics[`${modality}Cosine`] = mean(sum(mul(mapped, teacher), { axes: [1] }));
    return distance;
  });
  return { loss: terms.reduce((total, term) => add(total, term)), metrics };
}

/** normalise(features·Wᵀ + b), first values as PyTorch's Linear. */
function project(
  features: Value,
  scope: ParamScope,
  { from, to }: { readonly from: number; readonly to: number },
): Value {
  const initializer = torchDefault(from);
  const weight = scope.parameter("weight", [to, from], { initializer });
  const bias = scope.parameter("bias", [to], { initializer });
  return l2Normalize(add(matmul(features, weight, { transposeB: true }), bias));
}
