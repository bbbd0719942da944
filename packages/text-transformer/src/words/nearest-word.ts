/**
 * The known word that an unknown one most likely means: another form of the same English word ("kittens", "danced"), or
 * the same with one letter mistyped ("strawbery", "colour"). Deliberately strict: on emoji keywords, likeness of trigrams
 * read "coffee" as "coffin" and "bread" as "breast", and a wrong word is worse than none.
 */

/** Positions of known words by base form and by spelling with at most one letter left out. */
export interface NearestWords {
  readonly byForm: ReadonlyMap<string, number>;
  readonly byDeletion: ReadonlyMap<string, number>;
}

/** The longer of two words must have this many letters: short ones have too many neighbours ("pride", "prize"). */
const shortestMistyped = 6;

/** Prepares `words` for `findNearestWord`; of several with one form or spelling the earlier, so the more frequent, counts. */
export function createNearestWords(words: readonly string[]): NearestWords {
  const byForm = new Map<string, number>();
  const byDeletion = new Map<string, number>();
  words.forEach((word, position) => {
    for (const form of baseForms(word)) if (!byForm.has(form)) byForm.set(form, position);
    for (const spelling of spellings(word))
      if (!byDeletion.has(spelling)) byDeletion.set(spelling, position);
  });
  return { byForm, byDeletion };
}

/** Position of the known word that `word` most likely means, or undefined. */
export function findNearestWord(known: NearestWords, word: string): number | undefined {
  if (/\p{N}/u.test(word)) return undefined;
  for (const form of baseForms(word)) {
    const found = known.byForm.get(form);
    if (found !== undefined) return found;
  }
  let nearest: number | undefined;
  for (const spelling of spellings(word)) {
    const found = known.byDeletion.get(spelling);
    if (found !== undefined && (nearest === undefined || found < nearest)) nearest = found;
  }
  return nearest;
}

/** What an English word may be a form of, itself first: plural, past and -ing endings off, "e" and "y" put back. */
function baseForms(word: string): string[] {
  if (!/^[a-z]{3,}$/u.test(word)) return [word];
  const forms = [word];
  const [, plural] = /^(..+[^su])s$/u.exec(word) ?? [];
  if (plural !== undefined) forms.push(plural);
  const [, sibilant] = /^(..+(?:s|sh|ch|x|z))es$/u.exec(word) ?? [];
  if (sibilant !== undefined) forms.push(sibilant);
  const [, yEnding] = /^(..+)ie[sd]$/u.exec(word) ?? [];
  if (yEnding !== undefined) forms.push(`${yEnding}y`);
  const [, verb] = /^(.*[aeiouy].*[^e])(?:ing|ed)$/u.exec(word) ?? [];
  if (verb !== undefined && verb.length >= 3)
    forms.push(verb, `${verb}e`, verb.replace(/([^aeiou])\1$/u, "$1"));
  return forms;
}

/** The word and, when it is long enough, every spelling of it with one letter left out (never the first: typed words begin right). */
function spellings(word: string): string[] {
  const characters = [...word];
  if (characters.length < shortestMistyped - 1 || /\p{N}/u.test(word)) return [];
  if (characters.length < shortestMistyped) return [word];
  return [
    word,
    ...characters.slice(1).map((_, index) => characters.toSpliced(index + 1, 1).join("")),
  ];
}
