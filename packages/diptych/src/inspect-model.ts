/** What a model costs, block by block: one of the paper's, or that of a configuration. */
import { encoderScope, type MultiEncoder } from "@diptych/core";
import { findOpenAiModel } from "@diptych/checkpoints";
import { MODEL } from "./components.js";
import { PUBLISHED_COSTS, type PublishedCosts } from "./inspect-published.js";
import { measureTower, sumCosts, type MeasureOptions, type TowerCost } from "./inspect-tower.js";
import { withConfiguredModel } from "./inspect.js";
import type { OpenedConfig } from "./load-config.js";
import {
  OPEN_CLIP_MODEL_NAMES,
  openClipConfig,
  openClipConfigs,
  type OpenClipModelName,
} from "./open-clip-configs.js";
import { createOpenClipModel } from "./open-clip-model.js";

export interface ModelCost extends Omit<TowerCost, "modality" | "blocks"> {
  readonly name: string;
  /** Samples that FLOPs and activations are of. */
  readonly batch: number;
  readonly towers: readonly TowerCost[];
  /** Trained values that belong to no tower: the similarity's scale and bias. */
  readonly sharedParameters: number;
  /** For one of the paper's models. */
  readonly published?: PublishedCosts & {
    /**
     * FLOPs of one picture that the published number has and ours has not: open_clip's attention pool asks for every
     * place of the map and keeps the answer to the mean.
     */
    readonly unusedPoolFlops: number;
  };
}

/** Costs of any model. */
export function measureModel(
  model: MultiEncoder,
  { name = "model", ...options }: MeasureOptions & { readonly name?: string } = {},
): ModelCost {
  const towers = Object.keys(model.encoders).map((modality) =>
    measureTower(model, { modality, scope: encoderScope(modality, model.textPrefix) }, options),
  );
  const sharedParameters = model.logitBias === undefined ? 1 : 2;
  const total = sumCosts(towers);
  return {
    name,
    batch: options.batch ?? 1,
    towers,
    sharedParameters,
    ...total,
    parameters: total.parameters + sharedParameters,
  };
}

/** Costs of the model of a configuration. */
export async function measureConfig(
  opened: OpenedConfig,
  options: MeasureOptions = {},
): Promise<ModelCost> {
  return withConfiguredModel(opened, (run) =>
    measureModel(run.get(MODEL), { ...options, name: opened.config.name }),
  );
}

/** open_clip's name of one of the paper's models, as the paper (`ViT-L/14@336px`) or open_clip writes it; undefined for others. */
export function paperModelName(name: string): OpenClipModelName | undefined {
  const found = findOpenAiModel(name);
  return OPEN_CLIP_MODEL_NAMES.find((known) => known === found?.openClipName);
}

/** Costs of one of the paper's models beside those that are published. */
export function measurePaperModel(
  name: OpenClipModelName,
  options: MeasureOptions = {},
): ModelCost {
  const cost = measureModel(createOpenClipModel(openClipConfig(name)), { ...options, name });
  return {
    ...cost,
    published: { ...PUBLISHED_COSTS[name], unusedPoolFlops: unusedPoolFlops(name) },
  };
}

/** For each place of the map but the mean: projections of a query and of its answer, scores, and sums of values. */
function unusedPoolFlops(name: OpenClipModelName): number {
  const { vision_cfg: vision, embed_dim: embedDim } = openClipConfigs[name];
  if (typeof vision.layers === "number") return 0;
  const channels = 32 * vision.width;
  const places = (vision.image_size / 32) ** 2;
  const perQuery = channels * channels + 2 * (places + 1) * channels + channels * embedDim;
  return 2 * places * perQuery;
}
