/** OpenAI's archives: three scalars beside open_clip's tensors mark them, their activation is QuickGELU, and shapes tell the rest. */
import { CheckpointError, type CheckpointReader } from "@diptych/core";
import { deriveReader, type Derivation } from "./derived-reader.js";
import { inferModelConfig } from "./infer-model-config.js";
import { OPENAI_PREPROCESS } from "./open-clip-config.js";
import { findClipFacts } from "./shape-facts.js";

const MARKS = ["input_resolution", "context_length", "vocab_size"];
/** What is no parameter: the marks, and masks that tracing kept. */
const LEFT_OUT = /^(input_resolution|context_length|vocab_size)$|(^|\.)attn_mask$/;

/** Whether a state dict has the scalars of OpenAI's. */
export function hasOpenAiMarks({ entries }: CheckpointReader): boolean {
  const names = new Set(entries.map(({ name }) => name));
  return MARKS.every((name) => names.has(name));
}

/**
 * The reader of an archive's parameters, with its architecture as metadata.
 *
 * @throws CheckpointError where it holds no CLIP.
 */
export function describeOpenAi(reader: CheckpointReader): CheckpointReader {
  const kept = reader.entries.filter(({ name }) => !LEFT_OUT.test(name));
  const facts = findClipFacts(kept);
  if (!facts) {
    throw new CheckpointError(
      `checkpoints/openai: ${reader.path}: expected the modules of a CLIP, got ${kept.length} other tensors (${kept
        .slice(0, 4)
        .map(({ name }) => name)
        .join(", ")}). It is a TorchScript archive of something else.`,
    );
  }
  const { modelConfig } = inferModelConfig(reader.path, facts, "quick-gelu");
  const copies = new Map<string, Derivation>(
    kept.map(({ name }) => [name, { how: "copy", from: [name] }]),
  );
  return deriveReader(reader, copies, {
    model_cfg: modelConfig,
    preprocess_cfg: OPENAI_PREPROCESS,
  });
}
