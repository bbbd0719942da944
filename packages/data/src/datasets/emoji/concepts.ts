/** The concepts of the emoji set: what all families draw, with its names and words. */
import { DataError } from "@diptych/core";
import { hexcodeOf, normalizeHexcode } from "./code-points.js";
import { EMOJI_FAMILIES, FAMILY_PACKAGES, type EmojiFamily } from "./families.js";
import type { EmojiPackages } from "./packages.js";
import { bucketOf, rootOf } from "./splits.js";

export interface EmojiConcept {
  /** The CLDR short name, e.g. "red apple"; unique. */
  readonly name: string;
  readonly emoji: string;
  /** Normalized code points. */
  readonly hexcode: string;
  /** One of 8 groups, e.g. "food-drink". */
  readonly group: string;
  /** One of 94 subgroups, e.g. "food-fruit". */
  readonly subgroup: string;
  /** emojibase's tags, then emojilib's keywords that are not among them; without the name. */
  readonly tags: readonly string[];
  readonly root: string;
  /** md5(root) % 100: decides the splits. */
  readonly bucket: number;
}

/** A concept and the icon's name in each family's package. */
export interface DrawnConcept {
  readonly concept: EmojiConcept;
  readonly icons: Readonly<Record<EmojiFamily, string>>;
}

interface BaseEmoji {
  readonly label: string;
  readonly hexcode: string;
  readonly emoji: string;
  readonly tags?: readonly string[];
  readonly group?: number;
  readonly subgroup?: number;
}

interface GroupNames {
  readonly groups: Readonly<Record<string, string>>;
  readonly subgroups: Readonly<Record<string, string>>;
}

/** Skin tones and the like are no pictures of their own; flags are drawn by some families only. */
const LEFT_OUT = new Set(["component", "flags"]);

/**
 * The concepts that every family draws, without flags, components and skin tones, in Unicode's order.
 *
 * @throws DataError when the packages hold no common concept.
 */
export async function loadConcepts(packages: EmojiPackages): Promise<readonly DrawnConcept[]> {
  const [base, names, keywords, ...chars] = await Promise.all([
    packages.readJson("emojibase-data", "en/data.json") as Promise<readonly BaseEmoji[]>,
    packages.readJson("emojibase-data", "meta/groups.json") as Promise<GroupNames>,
    packages.readJson("emojilib", "dist/emoji-en-US.json") as Promise<
      Readonly<Record<string, readonly string[]>>
    >,
    ...EMOJI_FAMILIES.map(
      (family) =>
        packages.readJson(FAMILY_PACKAGES[family], "chars.json") as Promise<
          Readonly<Record<string, string>>
        >,
    ),
  ]);
  const keywordsByHexcode = new Map(
    Object.entries(keywords).map(([emoji, words]) => [hexcodeOf(emoji), words] as const),
  );
  const iconsByFamily = chars.map(
    (table) =>
      new Map(Object.entries(table).map(([hex, icon]) => [normalizeHexcode(hex), icon] as const)),
  );
  const drawn: DrawnConcept[] = [];
  for (const emoji of base) {
    const concept = conceptOf(emoji, names, keywordsByHexcode);
    const icons = concept && iconsOf(concept.hexcode, iconsByFamily);
    if (icons) drawn.push(Object.freeze({ concept, icons }));
  }
  if (drawn.length === 0) {
    throw new DataError(
      "data/emoji: packages: expected concepts that all families draw, got none. Install the versions named in the README of @diptych/data.",
    );
  }
  return Object.freeze(drawn);
}

function iconsOf(
  hexcode: string,
  iconsByFamily: readonly ReadonlyMap<string, string>[],
): Readonly<Record<EmojiFamily, string>> | undefined {
  const found: Partial<Record<EmojiFamily, string>> = {};
  for (const [i, family] of EMOJI_FAMILIES.entries()) {
    const icon = iconsByFamily[i]?.get(hexcode);
    if (icon === undefined) return undefined;
    found[family] = icon;
  }
  return Object.freeze(found) as Readonly<Record<EmojiFamily, string>>;
}

function conceptOf(
  emoji: BaseEmoji,
  names: GroupNames,
  keywords: ReadonlyMap<string, readonly string[]>,
): EmojiConcept | undefined {
  const group = names.groups[String(emoji.group)];
  const subgroup = names.subgroups[String(emoji.subgroup)];
  if (group === undefined || subgroup === undefined || LEFT_OUT.has(group)) return undefined;
  const hexcode = normalizeHexcode(emoji.hexcode);
  const root = rootOf(emoji.label);
  return Object.freeze({
    name: emoji.label,
    emoji: emoji.emoji,
    hexcode,
    group,
    subgroup,
    tags: Object.freeze(
      distinctPhrases([...(emoji.tags ?? []), ...(keywords.get(hexcode) ?? [])], emoji.label),
    ),
    root,
    bucket: bucketOf(root),
  });
}

/** Each phrase once, underscores as spaces, without the name itself. */
function distinctPhrases(phrases: readonly string[], name: string): string[] {
  const seen = new Set([name.toLowerCase()]);
  const kept: string[] = [];
  for (const phrase of phrases) {
    const text = phrase.replaceAll("_", " ").trim();
    const key = text.toLowerCase();
    if (text === "" || seen.has(key)) continue;
    seen.add(key);
    kept.push(text);
  }
  return kept;
}
