/** What text towers are fed, and the sizes that they take from the tokenizer. */
import { ConfigError, symbolDim, type InputSpec, type Tokenizer } from "@diptych/core";

export interface TextDependencies {
  /** Width of the joint space. */
  readonly embedDim: number;
  /** `text` by default. */
  readonly modality?: string;
  /** Gives vocabulary and context where the options do not. */
  readonly tokenizer?: Pick<Tokenizer, "vocabSize" | "contextLength">;
}

export interface VocabularySizes {
  readonly vocab: number;
  readonly contextLength: number;
}

/**
 * Vocabulary and context of a tower: the options', else the tokenizer's.
 *
 * @throws ConfigError where neither says, or where the tokenizer has ids beyond the tower's vocabulary or texts longer
 * than its context (both would only fail in the middle of a run).
 */
export function vocabularySizes(
  encoder: string,
  options: Partial<VocabularySizes>,
  tokenizer: TextDependencies["tokenizer"],
): VocabularySizes {
  const pick = (key: keyof VocabularySizes, given: number | undefined): number => {
    const size = options[key] ?? given;
    if (size === undefined) {
      throw new ConfigError(
        `text-transformer/${encoder}: ${key}: expected a size from the options or the tokenizer, got neither. Set ${key} or give the tokenizer.`,
      );
    }
    if (given !== undefined && given > size) {
      throw new ConfigError(
        `text-transformer/${encoder}: ${key}: expected at least the tokenizer's ${given}, got ${size}. Leave it out to take the tokenizer's, or cut the tokenizer.`,
      );
    }
    return size;
  };
  return {
    vocab: pick("vocab", tokenizer?.vocabSize),
    contextLength: pick("contextLength", tokenizer?.contextLength),
  };
}

/** `<modality>` int32 [<modality>Batch, <modality>Tokens]: ids, cut to the longest text of the batch or not; or of fixed length. */
export function idsInput(modality: string, fixedLength?: number): InputSpec {
  return Object.freeze({
    name: modality,
    shape: Object.freeze([
      symbolDim(`${modality}Batch`),
      fixedLength ?? symbolDim(`${modality}Tokens`),
    ]),
    dtype: "int32",
  });
}
