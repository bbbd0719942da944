/** Which files of a repository a model needs: its configuration, one form of its weights, tokenizer and preprocessing. */
import { CheckpointError } from "@diptych/core";

/** Small files that describe the model, the tokenizer and the pictures; taken where they are there. */
const DESCRIPTIONS: ReadonlySet<string> = new Set([
  "open_clip_config.json",
  "config.json",
  "diptych.json",
  "preprocessor_config.json",
  "processor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
]);

/** Forms of weights, the best first: safetensors before pickles, open_clip's own names where its configuration is there. */
const OPEN_CLIP_WEIGHTS = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"] as const;
const WEIGHTS = ["model.safetensors", "pytorch_model.bin"] as const;

/**
 * Names from `listed` (the root of a repository) that are needed, weights last.
 *
 * @throws CheckpointError where there are no weights in a known form, or shards are missing.
 */
export function chooseFiles(listed: readonly string[], what: string): readonly string[] {
  const present = new Set(listed);
  const forms = present.has("open_clip_config.json") ? [...OPEN_CLIP_WEIGHTS, ...WEIGHTS] : WEIGHTS;
  for (const form of forms) {
    const weights = weightsOf(form, listed, what);
    if (weights.length === 0) continue;
    return [...listed.filter((name) => DESCRIPTIONS.has(name)), ...weights];
  }
  throw new CheckpointError(
    `checkpoints/pullModel: ${what}: expected weights (${forms.join(", ")}, or shards of them), got ${listed.slice(0, 20).join(", ") || "no files"}. Name a repository of a CLIP model for PyTorch.`,
  );
}

/** The one file, or the index with all shards; empty where neither is there. */
function weightsOf(form: string, listed: readonly string[], what: string): readonly string[] {
  if (listed.includes(form)) return [form];
  const index = `${form}.index.json`;
  if (!listed.includes(index)) return [];
  const dot = form.lastIndexOf(".");
  const [stem, extension] = [form.slice(0, dot), form.slice(dot)];
  const shards = listed
    .map((name) => ({ name, match: /^(.+)-(\d{5})-of-(\d{5})(\.\w+)$/.exec(name) }))
    .filter(({ match }) => match?.[1] === stem && match[4] === extension);
  const count = Number(shards[0]?.match?.[3] ?? 0);
  if (shards.length === count && count > 0) return [index, ...shards.map(({ name }) => name)];
  throw new CheckpointError(
    `checkpoints/pullModel: ${what}: expected all ${count || "the"} shards of ${index}, got ${shards.length}. The repository is incomplete; try another revision (name@revision).`,
  );
}
