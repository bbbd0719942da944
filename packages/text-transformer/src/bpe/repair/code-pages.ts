/**
 * The single-byte encodings as which UTF-8 is mistaken most often, in the order in which ftfy tries them.
 * "Sloppy" ones give a byte without a character to the code point of the same number (as browsers do with windows-1252),
 * and read U+FFFD, which a stricter program left behind, as byte 0x1A: "something was lost here".
 * Tables: the Unicode Consortium's mappings, which Python's codecs follow. Bytes are held as strings of U+0000–U+00FF.
 */

/** A single-byte encoding. */
export interface CodePage {
  readonly name: string;
  readonly sloppy: boolean;
  /** [256]: character of each byte. */
  readonly characters: string;
  /** Byte of each character above U+007F (and of U+FFFD where sloppy). */
  readonly bytes: ReadonlyMap<string, string>;
}

const replacement = "\uFFFD";
const substitute = "\u001A";

/** Windows-1252's characters at 0x80–0x9F, which HTML gives to those code points; gaps stand for themselves. */
export const windows1252Controls = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/** U+0000–U+00FF from `first` to `last`. */
function identity(first: number, last: number): string {
  return String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, at) => first + at));
}

/** Name, whether sloppy, and the characters of bytes 0x80–0xFF. */
const tables: readonly (readonly [string, boolean, string])[] = [
  ["latin-1", false, identity(0x80, 0xff)],
  ["windows-1252", true, windows1252Controls + identity(0xa0, 0xff)],
  [
    "windows-1251",
    true,
    "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u0098™љ›њќћџ\u00a0ЎўЈ¤Ґ¦§Ё©Є«¬\u00ad®Ї°±Ііґµ¶·ё№є»јЅѕїАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя",
  ],
  [
    "windows-1250",
    true,
    "€\u0081‚\u0083„…†‡\u0088‰Š‹ŚŤŽŹ\u0090‘’“”•–—\u0098™š›śťžź\u00a0ˇ˘Ł¤Ą¦§¨©Ş«¬\u00ad®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
  ],
  [
    "windows-1253",
    true,
    "€\u0081‚ƒ„…†‡\u0088‰\u008a‹\u008c\u008d\u008e\u008f\u0090‘’“”•–—\u0098™\u009a›\u009c\u009d\u009e\u009f\u00a0΅Ά£¤¥¦§¨©ª«¬\u00ad®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ",
  ],
  [
    "windows-1254",
    true,
    "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008d\u008e\u008f\u0090‘’“”•–—˜™š›œ\u009d\u009eŸ\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞßàáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ",
  ],
  [
    "windows-1257",
    true,
    "€\u0081‚\u0083„…†‡\u0088‰\u008a‹\u008c¨ˇ¸\u0090‘’“”•–—\u0098™\u009a›\u009c¯˛\u009f\u00a0¡¢£¤¥¦§Ø©Ŗ«¬\u00ad®Æ°±²³´µ¶·ø¹ŗ»¼½¾æĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽßąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙",
  ],
  [
    "iso-8859-2",
    false,
    identity(0x80, 0x9f) +
      "\u00a0Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u00adŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
  ],
  [
    "macroman",
    false,
    "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
  ],
  [
    "cp437",
    false,
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0",
  ],
];

/** All of them, in the order of trial. */
export const codePages: readonly CodePage[] = tables.map(([name, sloppy, upper]) =>
  createCodePage(name, sloppy, upper),
);

function createCodePage(name: string, sloppy: boolean, upper: string): CodePage {
  const lower = identity(0, 0x7f);
  const characters = (sloppy ? lower.replace(substitute, replacement) : lower) + upper;
  const bytes = new Map<string, string>();
  for (let byte = 0; byte < 256; byte += 1) {
    if (byte >= 0x80 || characters[byte] === replacement)
      bytes.set(characters.charAt(byte), String.fromCharCode(byte));
  }
  return Object.freeze({ name, sloppy, characters, bytes });
}

/** The bytes of `text` in `page`, or undefined where a character is not in it. */
export function encodeText(page: CodePage, text: string): string | undefined {
  let bytes = "";
  for (const character of text) {
    const ascii = character < "\u0080" && !(page.sloppy && character === substitute);
    const byte = ascii ? character : page.bytes.get(character);
    if (byte === undefined) return undefined;
    bytes += byte;
  }
  return bytes;
}

/** Characters that some page of `pages` has at the bytes from `first` to `last`, each once. */
export function charactersAt(pages: readonly CodePage[], first: number, last: number): string {
  const found = pages.flatMap((page) => [...page.characters.slice(first, last + 1)]);
  return [...new Set(found)].join("");
}
