/**
 * Which concepts are held out. The unit is the root of a name, so that "man cook" and "woman cook", or two hair
 * colours, never sit on both sides. Near duplicates that remain: clock faces, zodiac signs, arrows.
 */
import { createHash } from "node:crypto";

/** Roots with a bucket below this are held out of every family. */
const HELD_OUT_BELOW = 15;
/** Roots with a bucket from HELD_OUT_BELOW up to this are for tuning. */
const TUNING_BELOW = 20;

/** Persons of a name, and their possessives ("woman’s"). */
const PERSONS = /\b(?:man|woman|person|men|women|people)(?:’s|'s)?\b\s*/g;

/** `man cook` → `cook`; `keycap: 3` → `keycap`; a name of nothing but a person stays whole. */
export function rootOf(name: string): string {
  const [head = name] = name.split(":");
  const root = head.replace(PERSONS, "").trim();
  return root === "" ? name : root;
}

/** md5 of a root, as a number, modulo 100. */
export function bucketOf(root: string): number {
  const digest = createHash("md5").update(root).digest("hex");
  return Number(BigInt(`0x${digest}`) % 100n);
}

/** `final`: train on [15, 100), test on [0, 15). `tune`: train on [20, 100), test on [15, 20); [0, 15) stays unseen. */
export type EmojiSplit = "final" | "tune";
/** Where a concept lies in a split; `unused` only in `tune`. */
export type Membership = "train" | "heldOut" | "unused";

export function membershipOf(bucket: number, split: EmojiSplit): Membership {
  if (bucket < HELD_OUT_BELOW) return split === "final" ? "heldOut" : "unused";
  if (bucket < TUNING_BELOW) return split === "final" ? "train" : "heldOut";
  return "train";
}
