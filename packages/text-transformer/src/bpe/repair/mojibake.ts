/**
 * Whether a text looks like UTF-8 that was read in another encoding: pairs of characters that writing hardly has.
 * Characters by class and the expression over them are those of ftfy 6.3 (`badness`), Copyright Robyn Speer, Apache-2.0.
 */

/** About 400 characters that appear where UTF-8 is misread, by their use elsewhere; each string is the inside of a class. */
const classes = {
  common: "\\u00a0\\u00ad´·–-―’…",
  c1: "\\u0080-\\u009f",
  bad: "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\\ufffd",
  law: "§¶",
  currency: "¢£¥₧€",
  opening: "¡©«¿΄΅‘‚“„•‹\\uf8ff",
  closing: "®»˝”›™",
  numeric: "±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥",
  kaomoji: "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ",
  upperAccented: "À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ",
  lowerAccented: "ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґ\\ufb01\\ufb02",
  upperCommon: "ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я",
  lowerCommon: "ά-ωа-џ",
  box: "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓",
};

type ClassName = keyof typeof classes;

const one = (...names: ClassName[]): string => `[${names.map((name) => classes[name]).join("")}]`;

/** Python's `\s` and `\w`. */
const space =
  "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const wordCharacter = "[\\p{L}\\p{N}_]";

const accented = ["lowerAccented", "upperAccented"] as const;
const signs = ["currency", "numeric", "law"] as const;
const marks = [...accented, "box", "opening", "closing", ...signs] as const;
const arabicSecond = `[${classes.common}${classes.currency}${classes.bad}${classes.numeric}${classes.opening}ŸŠ®°µ»]`;

const byClass = [
  one("c1"),
  one("bad", ...marks) + one("bad"),
  "[a-zA-Z]" + one("lowerCommon", "upperCommon") + one("bad"),
  one("bad") + one(...marks),
  one("lowerAccented", "lowerCommon", "box", "closing", "currency", "numeric") +
    one("upperAccented"),
  one("box", "closing", "currency", "numeric") + one("lowerAccented"),
  one("lowerAccented", "box", "closing") + one("currency"),
  space + one("upperAccented") + one("currency"),
  one("upperAccented", "box") + one("numeric", "law"),
  one(...accented, "box", "currency", "closing") + one("opening") + one("numeric"),
  one(...accented, "box", ...signs) + one("closing") + one("opening"),
  one("currency", "numeric", "box") + one("opening"),
  "[a-z]" + one("upperAccented") + one("opening", "currency"),
  one("box") + one("kaomoji"),
  one(...accented, "currency", "numeric", "opening", "closing", "law") + one("box"),
  one("box") + one("closing"),
  one(...accented) + one("opening", "closing") + wordCharacter,
];

/** Pairs and triples of particular encodings. */
const byEncoding = [
  "[Œœ][^A-Za-z]",
  `${one("upperAccented")}°`,
  `[ÂÃÎÐ][€œŠš¢£Ÿž\\xa0\\xad®©°·»${classes.opening}${classes.closing}–—´]`,
  "×[²³]",
  // Arabic in windows-1252
  `[ØÙ]${arabicSecond}[ØÙ]${arabicSecond}`,
  // South Asian scripts in windows-1252
  "à[²µ¹¼½¾]",
  // MacRoman
  "√[±∂†≠®™´≤≥¥µø]",
  "≈[°¢]",
  "‚Ä[ìîïòôúùû†°¢π]",
  "‚[âó][àä°ê]",
  // windows-1251
  "вЂ",
  `[ВГРС][${classes.c1}${classes.bad}${classes.opening}${classes.closing}${classes.currency}°µ][ВГРС]`,
  "ГўВЂВ[^\\n][A-Za-z ]",
  // "à", "á" and the no-break space in windows-1252
  "Ã[\\xa0¡]",
  `[a-z]${space}?[ÃÂ] `,
  "^[ÃÂ] ",
  `[a-z.,?!${classes.closing}]Â[ ${classes.opening}${classes.closing}]`,
  // windows-1253
  "β€[™\\xa0Ά\\xad®°]",
  `[ΒΓΞΟ][${classes.c1}${classes.bad}${classes.opening}${classes.closing}${classes.currency}°][ΒΓΞΟ]`,
  // windows-1257
  "ā€",
];

const unlikely = new RegExp([...byClass, ...byEncoding].join("|"), "u");

/** Whether `text` has a sequence of characters that is more likely misread UTF-8 than meant. */
export function isMojibake(text: string): boolean {
  return unlikely.test(text);
}
