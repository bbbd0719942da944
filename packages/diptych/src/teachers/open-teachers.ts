/** The models that a loss is taught by, loaded and ready to embed what the student sees: frozen, in evaluation mode. */
import {
  ConfigError,
  isSymbolic,
  scalarHost,
  type Backend,
  type DimBinding,
  type HostTensor,
  type Loss,
} from "@diptych/core";
import type { Plugin } from "@diptych/core/plugin";
import {
  createEvaluationTransform,
  type Feeds,
  type ImageView,
  type TextView,
} from "@diptych/data";
import { findModel } from "../find-model.js";
import { createModelRuntime } from "../model-runtime.js";
import { readModel, type LoadedModel } from "../read-model.js";
import type { RunListener } from "../run-events.js";
import { weightsFingerprint } from "../fingerprint.js";
import { similarityScale } from "../similarity-scale.js";
import { collectTeachers, type WantedTeacher } from "./collect-teachers.js";

/** Which model taught a run. */
export interface TeacherFacts {
  /** Path or name, as the configuration has it. */
  readonly model: string;
  /** SHA-256 of its weights ({@link weightsFingerprint}). */
  readonly weights: string;
}

/** A teacher of a run. */
export interface OpenedTeacher {
  readonly facts: TeacherFacts;
  readonly loaded: LoadedModel;
  /** What the loader prepares for it. */
  readonly imageViews: readonly ImageView[];
  readonly textViews: readonly TextView[];
  /** The loss's auxiliary inputs for a batch that holds those views. */
  readonly feed: (batch: Feeds, signal?: AbortSignal) => Promise<Feeds>;
  readonly dispose: () => Promise<void>;
}

export interface OpenTeachersOptions {
  readonly loss: Loss;
  readonly backend: Backend;
  /** Folder that relative paths start from: the configuration's. */
  readonly baseDir: string;
  /** Plugins that a teacher's own configuration may need. */
  readonly plugins: readonly Plugin[];
  readonly on: RunListener;
  readonly signal?: AbortSignal | undefined;
}

/** What a teacher can be asked to embed: what the loader gives. */
const MODALITIES: ReadonlySet<string> = new Set(["image", "text"]);

/**
 * Loads every teacher of a loss.
 *
 * @throws CheckpointError where there is no such model or it is damaged; ConfigError where it lacks a tower, its features
 * have another width than the loss was made for, or its tokenizer is not known.
 */
export async function openTeachers(
  options: OpenTeachersOptions,
): Promise<readonly OpenedTeacher[]> {
  const opened: OpenedTeacher[] = [];
  try {
    for (const wanted of collectTeachers(options.loss)) {
      opened.push(await openTeacher(wanted, options, opened.length));
    }
    return Object.freeze(opened);
  } catch (error) {
    for (const teacher of opened) await teacher.dispose();
    throw error;
  }
}

async function openTeacher(
  wanted: WantedTeacher,
  { loss, backend, baseDir, plugins, on, signal }: OpenTeachersOptions,
  index: number,
): Promise<OpenedTeacher> {
  const { model } = wanted;
  const path = await findModel(model, {
    baseDir,
    onProgress: ({ bytes, total }) =>
      on({ event: "prepare", what: `pulling ${model}`, done: bytes, total: total ?? bytes }),
    log: (text) => on({ event: "message", text }),
    ...(signal ? { signal } : {}),
  });
  const loaded = await readModel(path, { plugins });
  loaded.assumed.forEach((text) => on({ event: "message", text: `teacher: ${text}` }));
  checkTowers(model, loaded, new Set(wanted.features.values()));
  checkWidths(wanted, loaded, loss);
  return Object.freeze({
    facts: Object.freeze({ model, weights: weightsFingerprint(loaded.parameters) }),
    loaded,
    ...createFeed(wanted, loaded, { backend, index }),
  });
}

/** What the loader prepares for a teacher, and what becomes of it. */
function createFeed(
  { features, scales }: WantedTeacher,
  loaded: LoadedModel,
  { backend, index }: { readonly backend: Backend; readonly index: number },
): Omit<OpenedTeacher, "facts" | "loaded"> {
  const pixels = `teacher ${index} pixels`;
  const ids = `teacher ${index} ids`;
  const modalities = new Set(features.values());
  const runtime = createModelRuntime(loaded, backend);
  const scale = scalarHost("float32", similarityScale(loaded.parameters) ?? 1);
  return {
    imageViews: modalities.has("image")
      ? [{ name: pixels, transform: createEvaluationTransform(picturesOf(loaded)) }]
      : [],
    textViews: modalities.has("text") ? [{ name: ids, tokenizer: loaded.tokenizer }] : [],
    feed: async ({ [pixels]: pictures, [ids]: texts }, signal) => {
      const call = signal ? { signal } : {};
      const rows = new Map<string, HostTensor>();
      if (pictures) rows.set("image", await runtime.pixels(pictures.data as Float32Array, call));
      if (texts) rows.set("text", await runtime.tokens(texts.data as Int32Array, call));
      const fed: Record<string, HostTensor> = {};
      for (const [input, modality] of features) {
        const values = rows.get(modality);
        if (values) fed[input] = values;
      }
      for (const input of scales) fed[input] = scale;
      return fed;
    },
    dispose: () => runtime.dispose(),
  };
}

/** As the model wants them; what is transparent shows what the student sees there, white. */
function picturesOf({ pictures }: LoadedModel): LoadedModel["pictures"] {
  return { ...pictures, background: pictures.background ?? [255, 255, 255] };
}

/** @throws ConfigError where the teacher, or the loader, cannot give what the loss wants of it. */
function checkTowers(
  model: string,
  { model: { encoders }, tokenizer }: LoadedModel,
  modalities: ReadonlySet<string>,
): void {
  for (const modality of modalities) {
    if (!MODALITIES.has(modality)) {
      throw new ConfigError(
        `diptych/teachers: ${model}: expected features of ${[...MODALITIES].join(" or ")} to be asked for, got "${modality}". A run feeds its teachers pictures and texts: name those in the loss's "modalities".`,
      );
    }
    if (encoders[modality]) continue;
    throw new ConfigError(
      `diptych/teachers: ${model}: expected a model with an encoder of ${modality}, got one of ${Object.keys(encoders).join(", ")}. Name another model, or only modalities that it has.`,
    );
  }
  const vocab = encoders["text"]?.facts["vocab"];
  if (!modalities.has("text") || typeof vocab !== "number" || tokenizer.vocabSize <= vocab) return;
  throw new ConfigError(
    `diptych/teachers: ${model}: expected a model of the tokenizer "${tokenizer.name}" (${tokenizer.vocabSize} ids), got one of ${vocab} ids. Its own tokenizer is not kept with it: it can teach pictures alone, by match: "features" with modalities: ["image"].`,
  );
}

/** @throws ConfigError where the loss was made for features of another width. */
function checkWidths({ model, features }: WantedTeacher, loaded: LoadedModel, loss: Loss): void {
  const { embedDim } = loaded.model;
  for (const input of features.keys()) {
    const width = widthOf(loss, input);
    if (width === undefined || isSymbolic(width) || width === embedDim) continue;
    throw new ConfigError(
      `diptych/teachers: ${model}: expected features of ${width} numbers, got ${embedDim}. Set teacherDim: ${embedDim} in the loss.`,
    );
  }
}

function widthOf(
  { auxiliary }: Loss,
  input: string,
): Loss["auxiliary"][number]["shape"][number] | undefined {
  return auxiliary.find(({ name }) => name === input)?.shape[1];
}

/** What the widths of teachers stand for, where a loss left them open. */
export function teacherBinding(loss: Loss, teachers: readonly OpenedTeacher[]): DimBinding {
  const wanted = new Map(collectTeachers(loss).map((one) => [one.model, one.features]));
  const binding: Record<string, number> = {};
  for (const { facts, loaded } of teachers) {
    for (const input of wanted.get(facts.model)?.keys() ?? []) {
      const width = widthOf(loss, input);
      if (width !== undefined && isSymbolic(width)) binding[width.key] = loaded.model.embedDim;
    }
  }
  return binding;
}
