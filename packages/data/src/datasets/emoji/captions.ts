/** Captions of an emoji: its name, templates, and its tags around the name. Drawn anew each time, so that a word model meets each word in many neighbourhoods. */
import type { Random } from "@diptych/core";
import type { EmojiConcept } from "./concepts.js";

/** How often each kind of caption is drawn; what is left of 1 is tags around the name. */
export interface CaptionMix {
  /** Share of captions that are the name alone. */
  readonly name: number;
  /** Share of captions from a template. */
  readonly templated: number;
  /** Tags around the name: 1 to this many. */
  readonly maxTags: number;
}

/** A caption of `concept` for training. */
export function drawCaption(concept: EmojiConcept, random: Random, mix: CaptionMix): string {
  const kind = random.next();
  if (kind < mix.name || concept.tags.length === 0) return concept.name;
  if (kind < mix.name + mix.templated) {
    return random.next() < 0.5
      ? `an emoji of ${concept.name}`
      : pictureOf(concept.name, drawTags(concept.tags, 2, random));
  }
  const tags = drawTags(concept.tags, 1 + random.integer(mix.maxTags), random);
  const before = random.integer(tags.length + 1);
  return [...tags.slice(0, before), concept.name, ...tags.slice(before)].join(" ");
}

function pictureOf(name: string, tags: readonly string[]): string {
  return `a picture of ${[name, ...tags].join(", ")}`;
}

/** Up to `count` different tags in random order. */
function drawTags(tags: readonly string[], count: number, random: Random): readonly string[] {
  const left = [...tags];
  const drawn: string[] = [];
  while (drawn.length < count && left.length > 0) {
    drawn.push(...left.splice(random.integer(left.length), 1));
  }
  return drawn;
}

/** Captions that together hold every word that `drawCaption` can use: for vocabularies. */
export function* captionsOf(concept: EmojiConcept): Generator<string> {
  yield concept.name;
  yield `an emoji of ${concept.name}`;
  yield pictureOf(concept.name, concept.tags.slice(0, 2));
  yield* concept.tags;
}
