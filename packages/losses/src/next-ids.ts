/** Texts as questions of a language model: what it reads at each place, and the id that should follow. */
import {
  broadcast,
  cast,
  checkShapes,
  concat,
  equal,
  iota,
  lessEqual,
  or,
  not,
  reduceMax,
  argmax,
  reshape,
  scalar,
  sliceAxis,
  subDims,
  type Dim,
  type Value,
} from "@diptych/core";
import type { CaptionVocabulary } from "./caption-vocabulary.js";

/** Questions for each text: as many as its ids, plus one without a start, minus one with an end. */
export interface NextIds {
  /** int32 [texts, places]: what should follow; the text's end is among it. */
  readonly targets: Value;
  /** bool [texts, places]: up to and including the text's end. */
  readonly keep: Value;
  readonly places: Dim;
}

/** Places that a decoder reads for texts of `tokens` ids. */
export function placesOf(tokens: Dim, { start, end }: CaptionVocabulary): Dim {
  return subDims(tokens, (start === undefined ? 0 : 1) + (end === undefined ? -1 : 0));
}

/**
 * The targets of texts: int32 [texts, tokens] ids → the ids after the start, and the end of each text, which is `end` or,
 * where a tokenizer has none, one `pad`. A text that fills its context and has no end in it is asked for all of its ids.
 */
export function buildNextIds(ids: Value, vocabulary: CaptionVocabulary): NextIds {
  const { texts, tokens } = checkShapes("losses/buildNextIds", [ids, "ids", ["texts", "tokens"]]);
  const { start, end, pad } = vocabulary;
  const after = start === undefined ? ids : sliceAxis(ids, 1, 1, subDims(tokens, 1));
  const closing = broadcast(reshape(scalar(pad, "int32"), [1, 1]), [texts, 1]);
  const targets = end === undefined ? concat([after, closing], 1) : after;
  return { targets, keep: keepThrough(targets, end ?? pad), places: placesOf(tokens, vocabulary) };
}

/**
 * What a decoder reads to answer: vectors [texts, tokens, width] of the ids, after `begin` [width] where texts have no
 * start of their own, and without the last one where its answer would lie beyond the text's end.
 */
export function shiftVectors(
  vectors: Value,
  { end }: CaptionVocabulary,
  begin: Value | undefined,
): Value {
  const { texts, tokens, width } = checkShapes("losses/shiftVectors", [
    vectors,
    "vectors",
    ["texts", "tokens", "width"],
  ]);
  const read = end === undefined ? vectors : sliceAxis(vectors, 1, 0, subDims(tokens, 1));
  if (!begin) return read;
  return concat([broadcast(reshape(begin, [1, 1, width]), [texts, 1, width]), read], 1);
}

/** bool [texts, tokens]: the words of texts, without start, end and padding. */
export function keepWords(ids: Value, { start, end, pad }: CaptionVocabulary): Value {
  const closing = end ?? pad;
  const through = keepThrough(ids, closing);
  const outside = equal(ids, closing);
  return not(or(not(through), start === undefined ? outside : or(outside, equal(ids, start))));
}

/** bool like ids: positions up to and including the first `last`; all where there is none. */
function keepThrough(ids: Value, last: number): Value {
  const { texts, tokens } = checkShapes("losses/keepThrough", [ids, "ids", ["texts", "tokens"]]);
  const ends = cast(equal(ids, last), "int32");
  const position = reshape(argmax(ends, 1), [texts, 1]);
  const endless = equal(reduceMax(ends, { axes: [1], keepDims: true }), 0);
  return or(endless, lessEqual(reshape(iota(tokens), [1, tokens]), position));
}
