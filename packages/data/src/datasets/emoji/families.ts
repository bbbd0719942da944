/** The drawing families of the emoji set, and the npm packages that they and the words come from. */

export const EMOJI_FAMILIES = ["noto", "twemoji", "openmoji", "fluent"] as const;
export type EmojiFamily = (typeof EMOJI_FAMILIES)[number];

/** Families that are trained on by default; Fluent is the style held out. */
export const TRAINING_FAMILIES: readonly EmojiFamily[] = Object.freeze([
  "noto",
  "twemoji",
  "openmoji",
]);

/** The package each family's drawings come from. */
export const FAMILY_PACKAGES: Readonly<Record<EmojiFamily, string>> = Object.freeze({
  noto: "@iconify-json/noto",
  twemoji: "@iconify-json/twemoji",
  openmoji: "@iconify-json/openmoji",
  fluent: "@iconify-json/fluent-emoji-flat",
});

/** Packages that names, tags and keywords come from. */
export const WORD_PACKAGES = ["emojibase-data", "emojilib"] as const;

/** Whose work the pictures and words are, and under which licence: to print wherever they are shown. */
export const EMOJI_ATTRIBUTION: readonly string[] = Object.freeze([
  "Noto Emoji by Google, Apache-2.0",
  "Twemoji by Twitter and contributors, CC-BY-4.0",
  "OpenMoji, CC-BY-SA-4.0",
  "Fluent Emoji by Microsoft, MIT",
  "emojibase by Miles Johnson, MIT",
  "emojilib by Mu-An Chiou, MIT",
]);
