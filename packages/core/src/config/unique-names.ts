/** Names that a user may give twice, told apart. */

/** The second of one name becomes `name-2`, the third `name-3`; a number that is taken is passed over. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let i = 2; seen.has(unique) || (unique !== name && taken.has(unique)); i++)
      unique = `${name}-${i}`;
    seen.add(unique);
    return unique;
  });
}
