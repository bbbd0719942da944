/** A loss's scores as graphs: the towers once a picture and once a text, and what is computed for every pair of them. */
import {
  buildEncoders,
  createGraph,
  equalShapes,
  formatShape,
  input,
  inputName,
  lossContext,
  shapeOf,
  ShapeError,
  withDeclarations,
  dtypeOf,
  type BuiltModel,
  type EncoderOutput,
  type Graph,
  type Loss,
  type MultiEncoder,
  type ParameterSpec,
  type Value,
} from "@diptych/core";

/** The graphs of a loss's scores. */
export interface ScorePlan {
  /** What pairs read of a tower, under the names that `scores` is fed it by; none for a tower that they do not read. */
  readonly towers: Readonly<Record<string, Graph>>;
  /** `scores` [images, texts], from what the towers give and, where the loss reads them, their inputs. */
  readonly scores: Graph;
  /** Parameters of the loss that the scores read. */
  readonly parameters: readonly ParameterSpec[];
}

/**
 * How the scores of `loss` are computed on `model`; undefined where it has none, or the model no pictures and texts.
 *
 * @throws ShapeError where the loss's scores are not [images, texts], and what the loss throws.
 */
export function planScores(model: MultiEncoder, loss: Loss): ScorePlan | undefined {
  const { image, text } = model.encoders;
  if (!loss.buildScores || !image || !text) return undefined;
  const built = buildEncoders({ ...model, mode: "eval", modalities: ["image", "text"] });
  const known = new Set(built.parameters.map(({ name }) => name));
  const { encoded, normalized, given } = standIns(built);
  const value = loss.buildScores(lossContext(built, loss), {
    encoded,
    normalized,
    inputs: built.inputs,
    logitScale: built.logitScale,
    ...(built.logitBias ? { logitBias: built.logitBias } : {}),
    auxiliary: {},
  });
  checkScores(loss, built, value);
  const scores = createGraph("scores", { scores: value });
  const read = new Set(scores.inputs.map(({ node }) => inputName(node)));
  const towers: Record<string, Graph> = {};
  for (const modality of Object.keys(encoded)) {
    const wanted = [...given].filter(
      ([name, stand]) => stand.modality === modality && read.has(name),
    );
    if (wanted.length === 0) continue;
    const outputs = Object.fromEntries(wanted.map(([name, stand]) => [name, stand.value]));
    towers[modality] = createGraph(`score-${modality}`, outputs);
  }
  return Object.freeze({
    towers: Object.freeze(towers),
    scores,
    parameters: withDeclarations(built).parameters.filter(
      ({ name }) => !known.has(name) && read.has(name),
    ),
  });
}

interface StandIns {
  readonly encoded: Readonly<Record<string, EncoderOutput>>;
  readonly normalized: Readonly<Record<string, Value>>;
  /** By input name: the tower and the value that the input stands for. */
  readonly given: ReadonlyMap<string, { readonly modality: string; readonly value: Value }>;
}

/** Inputs in place of all that the towers give, so that pairs are a graph of their own. */
function standIns(built: BuiltModel): StandIns {
  const given = new Map<string, { readonly modality: string; readonly value: Value }>();
  const standIn = (modality: string, what: string, value: Value): Value => {
    const name = `${modality} ${what}`;
    given.set(name, { modality, value });
    return input(name, shapeOf(value), dtypeOf(value));
  };
  const encoded: Record<string, EncoderOutput> = {};
  const normalized: Record<string, Value> = {};
  for (const [modality, output] of Object.entries(built.encoded)) {
    const { pooled, tokens, intermediates } = output;
    encoded[modality] = Object.freeze({
      pooled: standIn(modality, "pooled", pooled),
      ...(tokens ? { tokens: standIn(modality, "tokens", tokens) } : {}),
      intermediates: Object.freeze(
        Object.fromEntries(
          Object.entries(intermediates).map(([path, value]) => [
            path,
            standIn(modality, path, value),
          ]),
        ),
      ),
    });
    const unit = built.normalized[modality];
    if (unit) normalized[modality] = standIn(modality, "normalized", unit);
  }
  return { encoded, normalized, given };
}

function checkScores(loss: Loss, { encoded }: BuiltModel, scores: Value): void {
  const batches = ["image", "text"].map((name) => {
    const output = encoded[name];
    return (output && shapeOf(output.pooled)[0]) ?? 1;
  });
  if (dtypeOf(scores) === "float32" && equalShapes(shapeOf(scores), batches)) return;
  throw new ShapeError(
    `diptych/planScores: ${loss.name}: expected scores float32${formatShape(batches)}, one for each picture and text, got ${dtypeOf(scores)}${formatShape(shapeOf(scores))}.`,
  );
}
