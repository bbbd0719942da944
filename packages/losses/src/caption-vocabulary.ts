/** What a loss on texts must know of their ids. */
import { ConfigError, type Tokenizer } from "@diptych/core";

/** Ids and their special ones, as a tokenizer says. */
export interface CaptionVocabulary {
  /** Number of ids. */
  readonly vocab: number;
  /** Most ids of a text. */
  readonly contextLength: number;
  /** Id that fills texts up; where there is no `end`, the first of it is a text's end. */
  readonly pad: number;
  /** Id that every text begins with. */
  readonly start?: number;
  /** Id that every text ends with; what follows is padding, whatever its id. */
  readonly end?: number;
}

/** @throws ConfigError without a tokenizer. */
export function captionVocabulary(
  where: string,
  tokenizer: Tokenizer | undefined,
): CaptionVocabulary {
  if (!tokenizer) {
    throw new ConfigError(
      `${where}: tokenizer: expected the run's, which says how many ids there are and which are special, got none. Give it among the loss's dependencies.`,
    );
  }
  const { vocabSize, contextLength, special } = tokenizer;
  const { pad, start, end } = special;
  return Object.freeze({
    vocab: vocabSize,
    contextLength,
    pad,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
  });
}
