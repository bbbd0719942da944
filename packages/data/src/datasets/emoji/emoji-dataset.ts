/** The emoji set as a dataset: one sample a concept, drawn by different families; or, for tests, one sample a picture. */
import {
  DataError,
  type Image,
  type Random,
  type Sample,
  type SampleRequest,
  type SizedDataset,
} from "@diptych/core";
import { mixImages } from "../../image/mix-images.js";
import { checkIndex } from "../check-index.js";
import { createRecordHash, type DatasetFingerprint } from "../fingerprint.js";
import { captionsOf, drawCaption } from "./captions.js";
import type { EmojiConcept } from "./concepts.js";
import { emojiSchema, type EmojiConfig } from "./config.js";
import { loadEmojiSet, type EmojiSet, type EmojiSetOptions } from "./emoji-set.js";
import type { EmojiFamily } from "./families.js";
import { membershipOf, type Membership } from "./splits.js";

export interface EmojiDataset extends SizedDataset {
  /** The set behind: pictures by family and concept. */
  readonly set: EmojiSet;
  /** Concepts of this part, as indices into `set.concepts`. */
  readonly conceptIndices: readonly number[];
  /** Names of this part's concepts, in the same order. */
  readonly names: readonly string[];
  /** All names of the set: what a picture's name is searched among. */
  readonly candidates: readonly string[];
  /** Families of this part's pictures. */
  readonly families: readonly EmojiFamily[];
  conceptOf(index: number): string;
  captions(): Iterable<string>;
  fingerprint(): Promise<DatasetFingerprint>;
}

/** Loads the set and makes the dataset of one part. @throws DataError when packages are missing or the part is empty. */
export async function loadEmojiDataset(
  config: EmojiConfig,
  options: Omit<EmojiSetOptions, "imageSize" | "limit">,
): Promise<EmojiDataset> {
  const set = await loadEmojiSet({
    ...options,
    imageSize: config.imageSize,
    ...(config.limit === undefined ? {} : { limit: config.limit }),
  });
  return createEmojiDataset(set, config);
}

/** Where a concept lies in the configured split. */
export function emojiMembership(concept: EmojiConcept, split: EmojiConfig["split"]): Membership {
  return split === "style" ? "train" : membershipOf(concept.bucket, split);
}

/**
 * The dataset of one part of `set`. In `train` a sample is a concept: pictures by different families (a share of
 * them mixed with another family's), captions drawn by the configured mix. In the other parts a sample is one picture
 * with its name; nothing is random there.
 *
 * @throws DataError when the part holds no concept, or its test family is missing or trained on.
 */
export function createEmojiDataset(
  set: EmojiSet,
  config: EmojiConfig = emojiSchema.parse({}),
): EmojiDataset {
  checkTestFamily(config);
  const wanted: Membership = config.part === "heldOutConcepts" ? "heldOut" : "train";
  const conceptIndices = Object.freeze(
    set.concepts.flatMap((concept, i) =>
      emojiMembership(concept, config.split) === wanted ? [i] : [],
    ),
  );
  if (conceptIndices.length === 0) {
    throw new DataError(
      `data/emoji: ${config.part}: expected concepts, got none (split "${config.split}", ${set.concepts.length} concepts in all). Raise \`limit\`, or leave it out.`,
    );
  }
  const nameOf = (i: number): string => (set.concepts[i] as EmojiConcept).name;
  const families = familiesOf(config);
  const train = config.part === "train";
  const size = train ? conceptIndices.length : conceptIndices.length * families.length;
  // The pictures of one family follow each other.
  const conceptAt = (index: number): number =>
    conceptIndices[checkIndex(index, size, "emoji") % conceptIndices.length] as number;
  return Object.freeze({
    kind: "sized" as const,
    name: `emoji/${config.split}/${config.part}`,
    size,
    set,
    conceptIndices,
    names: Object.freeze(conceptIndices.map(nameOf)),
    candidates: Object.freeze(set.concepts.map(({ name }) => name)),
    families,
    conceptOf: (index: number) => nameOf(conceptAt(index)),
    *captions() {
      for (const i of conceptIndices) yield* captionsOf(set.concepts[i] as EmojiConcept);
    },
    sample: (index: number, request: SampleRequest): Sample =>
      train
        ? trainingSample(set, conceptAt(index), config, request)
        : testSample(set, conceptAt(index), families, {
            index,
            part: conceptIndices.length,
            request,
          }),
    fingerprint: () => Promise.resolve(fingerprintOf(set, conceptIndices, { config, families })),
  });
}

/**
 * Of what the part shows and says, which packages, split and rendering have come to, and, of a training part, of how it
 * draws: milliseconds, since all pictures are in memory.
 */
function fingerprintOf(
  set: EmojiSet,
  indices: readonly number[],
  { config, families }: { readonly config: EmojiConfig; readonly families: readonly EmojiFamily[] },
): DatasetFingerprint {
  const { part, mix, captions } = config;
  const records = createRecordHash();
  records.add(["emoji", families, set.imageSize, part === "train" ? { mix, captions } : null]);
  // What a picture's name is searched among.
  records.add(set.concepts.map(({ name }) => name));
  for (const i of indices) {
    const { name, emoji, group, subgroup, tags } = set.concepts[i] as EmojiConcept;
    records.add([name, emoji, group, subgroup, part === "train" ? tags : null]);
    for (const family of families) records.bytes(set.picture(family, i).data);
  }
  return {
    hash: records.digest(),
    note: `SHA-256 of ${indices.length} concepts' words and of their pictures' pixels by ${families.join(", ")}`,
  };
}

/** The schema says this too, but a part is also made from another part's configuration. */
function checkTestFamily(config: EmojiConfig): void {
  if (config.part !== "heldOutStyle") return;
  const [family] = familiesOf(config);
  if (family !== undefined && !config.families.includes(family)) return;
  throw new DataError(
    `data/emoji: testFamily: expected a family that is not trained on (${config.families.join(", ")}), got ${config.testFamily ?? "none"} for split "${config.split}". Set it, e.g. families: ["noto", "openmoji"] with testFamily: "twemoji".`,
  );
}

function familiesOf(config: EmojiConfig): readonly EmojiFamily[] {
  if (config.part === "train") return Object.freeze([...config.families]);
  if (config.testFamily !== undefined) return Object.freeze([config.testFamily]);
  return Object.freeze(config.split === "tune" ? [...config.families] : ["fluent" as const]);
}

function trainingSample(
  set: EmojiSet,
  index: number,
  config: EmojiConfig,
  request: SampleRequest,
): Sample {
  const concept = set.concepts[index] as EmojiConcept;
  const { random } = request;
  const { families } = config;
  const order = random.permutation(families.length);
  const chosen = Array.from(
    { length: request.images ?? 1 },
    (_, i) => families[order[i % order.length] ?? 0] as EmojiFamily,
  );
  return {
    id: concept.name,
    ...labelsOf(concept, chosen),
    images: chosen.map((family) => drawPicture({ set, index, family }, config, random)),
    captions: Array.from({ length: request.captions ?? 1 }, () =>
      drawCaption(concept, random, config.captions),
    ),
  };
}

/** The family's drawing, or a mean of it and another family's in which its own part is the larger. */
function drawPicture(
  { set, index, family }: { set: EmojiSet; index: number; family: EmojiFamily },
  config: EmojiConfig,
  random: Random,
): Image {
  const picture = set.picture(family, index);
  const others = config.families.filter((other) => other !== family);
  if (random.next() >= config.mix || others.length === 0) return picture;
  const other = others[random.integer(others.length)] as EmojiFamily;
  return mixImages(picture, set.picture(other, index), 0.5 * random.next());
}

interface TestPlace {
  readonly index: number;
  /** Concepts of the part. */
  readonly part: number;
  readonly request: SampleRequest;
}

function testSample(
  set: EmojiSet,
  concept: number,
  families: readonly EmojiFamily[],
  place: TestPlace,
): Sample {
  const family = families[Math.floor(place.index / place.part)] as EmojiFamily;
  const known = set.concepts[concept] as EmojiConcept;
  const repeat = <T>(value: T, count = 1): T[] => Array.from({ length: count }, () => value);
  return {
    id: `${known.name} (${family})`,
    ...labelsOf(known, [family]),
    images: repeat(set.picture(family, concept), place.request.images),
    captions: repeat(known.name, place.request.captions),
  };
}

function labelsOf(
  concept: EmojiConcept,
  families: readonly EmojiFamily[],
): { readonly concept: string; readonly labels: Readonly<Record<string, string>> } {
  return {
    concept: concept.name,
    labels: {
      name: concept.name,
      emoji: concept.emoji,
      group: concept.group,
      subgroup: concept.subgroup,
      family: families.join(","),
    },
  };
}
