/**
 * What names and shapes of a CLIP's tensors reveal of its architecture, as OpenAI's loader reads it off its archives
 * (openai/CLIP model.py, build_model). Head counts and activations leave no trace in shapes.
 */
import type { TensorEntry } from "@diptych/core";

export interface VitFacts {
  readonly kind: "vit";
  readonly width: number;
  readonly layers: number;
  readonly patchSize: number;
  /** Patches, without the class token. */
  readonly patches: number;
  readonly mlpDim: number;
}

export interface ResNetFacts {
  readonly kind: "resnet";
  readonly width: number;
  /** Blocks of each of the four stages. */
  readonly stages: readonly number[];
  /** Places of the last feature map. */
  readonly patches: number;
}

export interface TextFacts {
  readonly contextLength: number;
  readonly vocab: number;
  readonly width: number;
  readonly layers: number;
  readonly mlpDim: number;
}

export interface ClipFacts {
  readonly embedDim: number;
  readonly vision: VitFacts | ResNetFacts;
  readonly text: TextFacts;
  /** Text tensors stand under `text.`, as in open_clip's CustomTextCLIP. */
  readonly customText: boolean;
  readonly hasLogitBias: boolean;
  /** Names that belong to no plain CLIP: another family, whose shapes say less. */
  readonly others: readonly string[];
}

const BLOCK =
  /^(ln_[12]\.(weight|bias)|attn\.(in_proj_(weight|bias)|out_proj\.(weight|bias))|mlp\.c_(fc|proj)\.(weight|bias))$/;
const TEXT_ROOT =
  /^(positional_embedding|token_embedding\.weight|text_projection|ln_final\.(weight|bias))$/;
const VIT_ROOT =
  /^(class_embedding|positional_embedding|proj|conv1\.weight|ln_(pre|post)\.(weight|bias))$/;
const NORM = "(weight|bias|running_mean|running_var|num_batches_tracked)";
const RESNET = new RegExp(
  `^(conv[123]\\.weight|bn[123]\\.${NORM}|layer[1-4]\\.\\d+\\.(conv[123]\\.weight|bn[123]\\.${NORM}|downsample\\.(0\\.weight|1\\.${NORM}))|attnpool\\.(positional_embedding|[qkvc]_proj\\.(weight|bias)))$`,
);

/** Facts of a CLIP under open_clip's names; undefined where what every CLIP has is not there. */
export function findClipFacts(entries: readonly TensorEntry[]): ClipFacts | undefined {
  const shapes = new Map(entries.map(({ name, shape }) => [name, shape]));
  const customText = shapes.has("text.token_embedding.weight");
  const prefix = customText ? "text." : "";
  const text = findText(shapes, prefix);
  const vision = findVit(shapes) ?? findResNet(shapes);
  const embedDim = shapes.get(`${prefix}text_projection`)?.[1];
  if (!text || !vision || embedDim === undefined) return undefined;
  const others = [...shapes.keys()].filter((name) => !isPlain(name, prefix, vision.kind));
  return { embedDim, vision, text, customText, hasLogitBias: shapes.has("logit_bias"), others };
}

type Shapes = ReadonlyMap<string, readonly number[]>;

function isPlain(name: string, prefix: string, kind: "vit" | "resnet"): boolean {
  if (name === "logit_scale" || name === "logit_bias") return true;
  if (name.startsWith("visual.")) {
    const rest = name.slice("visual.".length);
    return kind === "resnet" ? RESNET.test(rest) : VIT_ROOT.test(rest) || isBlock(rest);
  }
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return TEXT_ROOT.test(rest) || isBlock(rest);
}

function isBlock(name: string): boolean {
  const rest = /^transformer\.resblocks\.\d+\.(.+)$/.exec(name)?.[1];
  return rest !== undefined && BLOCK.test(rest);
}

function countBlocks(shapes: Shapes, prefix: string): number {
  const blocks = new Set<string>();
  for (const name of shapes.keys())
    if (name.startsWith(prefix)) blocks.add(name.slice(prefix.length).split(".", 1)[0] ?? "");
  return blocks.size;
}

function findText(shapes: Shapes, prefix: string): TextFacts | undefined {
  const [contextLength, width] = shapes.get(`${prefix}positional_embedding`) ?? [];
  const [vocab] = shapes.get(`${prefix}token_embedding.weight`) ?? [];
  const blocks = `${prefix}transformer.resblocks.`;
  const [mlpDim] = shapes.get(`${blocks}0.mlp.c_fc.weight`) ?? [];
  if (!contextLength || !width || !vocab || !mlpDim) return undefined;
  return { contextLength, vocab, width, mlpDim, layers: countBlocks(shapes, blocks) };
}

function findVit(shapes: Shapes): VitFacts | undefined {
  const [width, , patchSize] = shapes.get("visual.conv1.weight") ?? [];
  const [positions] = shapes.get("visual.positional_embedding") ?? [];
  const blocks = "visual.transformer.resblocks.";
  const [mlpDim] = shapes.get(`${blocks}0.mlp.c_fc.weight`) ?? [];
  if (!width || !patchSize || !positions || !mlpDim) return undefined;
  const layers = countBlocks(shapes, blocks);
  return { kind: "vit", width, patchSize, patches: positions - 1, mlpDim, layers };
}

function findResNet(shapes: Shapes): ResNetFacts | undefined {
  const [width] = shapes.get("visual.layer1.0.conv1.weight") ?? [];
  const [positions] = shapes.get("visual.attnpool.positional_embedding") ?? [];
  if (!width || !positions) return undefined;
  const stages = [1, 2, 3, 4].map((stage) => countBlocks(shapes, `visual.layer${stage}.`));
  return { kind: "resnet", width, stages, patches: positions - 1 };
}
