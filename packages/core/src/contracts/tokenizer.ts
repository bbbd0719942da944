/** Tokenizer: text to ids. */

export interface SpecialIds {
  readonly pad: number;
  readonly start?: number;
  readonly end?: number;
  readonly unknown?: number;
}

/** A batch of texts: `ids` row-major [batch, contextLength], padded with `special.pad`; `lengths` without padding. */
export interface TokenBatch {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  readonly batch: number;
  readonly contextLength: number;
}

export interface Tokenizer {
  readonly name: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly special: SpecialIds;
  /** Ids of one text, with start and end where the vocabulary has them, without padding, at most contextLength. */
  encode(text: string): readonly number[];
  /** @throws DataError on a text longer than the context where the tokenizer does not cut. */
  encodeBatch(texts: readonly string[]): TokenBatch;
  decode(ids: Iterable<number>): string;
  /** All that is needed to make it again, as plain JSON: saved with checkpoints. */
  toJSON(): TokenizerState;
}

/** `type` names the plugin that restores it. */
export interface TokenizerState {
  readonly type: string;
  readonly [key: string]: unknown;
}
