/**
 * Names of Hugging Face transformers' CLIPModel and open_clip's for the same tensors. Its projections are Linear layers
 * (the transpose of open_clip's matrices); its attention keeps queries, keys and values apart.
 */
import type { TensorEntry } from "@diptych/core";
import type { Derivation } from "./derived-reader.js";

const TOWERS = [
  { theirs: "text_model.", ours: "" },
  { theirs: "vision_model.", ours: "visual." },
] as const;

/** Tensors of a tower that have one counterpart: theirs to ours. */
const TOWER_NAMES: Readonly<Record<string, string>> = {
  "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
  "text_model.embeddings.position_embedding.weight": "positional_embedding",
  "text_model.final_layer_norm.weight": "ln_final.weight",
  "text_model.final_layer_norm.bias": "ln_final.bias",
  "vision_model.embeddings.class_embedding": "visual.class_embedding",
  "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
  "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
  "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",
  "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
  "vision_model.post_layernorm.weight": "visual.ln_post.weight",
  "vision_model.post_layernorm.bias": "visual.ln_post.bias",
  logit_scale: "logit_scale",
};
const PROJECTIONS: Readonly<Record<string, string>> = {
  "text_projection.weight": "text_projection",
  "visual_projection.weight": "visual.proj",
};
const BLOCK_NAMES: Readonly<Record<string, string>> = {
  layer_norm1: "ln_1",
  layer_norm2: "ln_2",
  "self_attn.out_proj": "attn.out_proj",
  "mlp.fc1": "mlp.c_fc",
  "mlp.fc2": "mlp.c_proj",
};
const PARTS = ["q_proj", "k_proj", "v_proj"] as const;

/** Whether names are those of a CLIPModel. */
export function isHuggingFaceClip(entries: readonly TensorEntry[]): boolean {
  const names = new Set(entries.map(({ name }) => name));
  return (
    names.has("vision_model.embeddings.patch_embedding.weight") &&
    names.has("text_model.embeddings.token_embedding.weight")
  );
}

/** open_clip's tensors from theirs; what has no counterpart keeps its name, so that restoring reports it. */
export function fromHuggingFaceNames(
  entries: readonly TensorEntry[],
): ReadonlyMap<string, Derivation> {
  const stored = new Map(entries.map((entry) => [entry.name, entry]));
  const derived = new Map<string, Derivation>();
  for (const { name, shape } of entries) {
    // Buffers that count positions: transformers before 4.31 saved them.
    if (name.endsWith(".embeddings.position_ids")) continue;
    const projection = PROJECTIONS[name];
    const fused = fusedName(name, stored);
    if (projection !== undefined && shape.length === 2)
      derived.set(projection, { how: "transpose", from: [name] });
    else if (fused) derived.set(fused.name, { how: "stack", from: fused.from });
    else if (name.endsWith(".class_embedding") && shape.length > 1)
      derived.set(singleName(name), { how: "flatten", from: [name] });
    else derived.set(singleName(name), { how: "copy", from: [name] });
  }
  return derived;
}

function singleName(name: string): string {
  const direct = Object.hasOwn(TOWER_NAMES, name) ? TOWER_NAMES[name] : undefined;
  if (direct !== undefined) return direct;
  const [tower, block, module, leaf] = splitBlockName(name) ?? [];
  const ours = module !== undefined && Object.hasOwn(BLOCK_NAMES, module) && BLOCK_NAMES[module];
  return ours ? `${tower}transformer.resblocks.${block}.${ours}.${leaf}` : name;
}

type BlockName = readonly [tower: string, block: string, module: string, leaf: string];

function splitBlockName(name: string): BlockName | undefined {
  const tower = TOWERS.find(({ theirs }) => name.startsWith(`${theirs}encoder.layers.`));
  const match = /\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
  return tower && match ? [tower.ours, match[1]!, match[2]!, match[3]!] : undefined;
}

/** The fused tensor that queries, keys and values of one shape make together. */
function fusedName(
  name: string,
  stored: ReadonlyMap<string, TensorEntry>,
): { readonly name: string; readonly from: readonly string[] } | undefined {
  const [tower, block, module, leaf] = splitBlockName(name) ?? [];
  const part = PARTS.find((each) => module === `self_attn.${each}`);
  if (part === undefined) return undefined;
  const from = PARTS.map((each) => name.replace(`.${part}.`, `.${each}.`));
  const parts = from.map((each) => stored.get(each));
  const [first] = parts;
  const alike = parts.every(
    (each) =>
      each !== undefined &&
      each.dtype === first?.dtype &&
      each.shape.length === first.shape.length &&
      each.shape.every((size, axis) => size === first.shape[axis]),
  );
  if (!alike) return undefined;
  return { name: `${tower}transformer.resblocks.${block}.attn.in_proj_${leaf}`, from };
}

/** What becomes of one of open_clip's tensors in a CLIPModel: its name there, and the third or the transpose that it is. */
export interface HuggingFaceTensor {
  readonly name: string;
  readonly how: "copy" | "transpose" | { readonly third: number };
}

const REVERSED = new Map(Object.entries(TOWER_NAMES).map(([theirs, ours]) => [ours, theirs]));
const REVERSED_PROJECTIONS = new Map(
  Object.entries(PROJECTIONS).map(([theirs, ours]) => [ours, theirs]),
);
const REVERSED_BLOCKS = new Map(
  Object.entries(BLOCK_NAMES).map(([theirs, ours]) => [ours, theirs]),
);

/** Their tensors for one of open_clip's; none where a CLIPModel has no such. */
export function toHuggingFaceNames(name: string): readonly HuggingFaceTensor[] {
  const direct = REVERSED.get(name);
  if (direct !== undefined) return [{ name: direct, how: "copy" }];
  const projection = REVERSED_PROJECTIONS.get(name);
  if (projection !== undefined) return [{ name: projection, how: "transpose" }];
  const match = /^(visual\.)?transformer\.resblocks\.(\d+)\.(.+)$/.exec(name);
  if (!match) return [];
  const [, visual, block, rest = ""] = match;
  const layer = `${visual === undefined ? "text_model" : "vision_model"}.encoder.layers.${block}`;
  const fused = /^attn\.in_proj_(weight|bias)$/.exec(rest)?.[1];
  if (fused !== undefined)
    return PARTS.map((part, third) => ({
      name: `${layer}.self_attn.${part}.${fused}`,
      how: { third },
    }));
  const leafAt = rest.lastIndexOf(".");
  const module = REVERSED_BLOCKS.get(rest.slice(0, leafAt));
  return module === undefined
    ? []
    : [{ name: `${layer}.${module}${rest.slice(leafAt)}`, how: "copy" }];
}
