/** The origin that new nodes carry: a path kept while a builder runs, so that errors far away can say where a node came from. */

let currentOrigin = "";
let currentRecompute = "";

/** Runs `build` with `name` appended to the origin of the nodes it makes. */
export function withOrigin<T>(name: string, build: () => T): T {
  const before = currentOrigin;
  currentOrigin = before === "" ? name : `${before}/${name}`;
  try {
    return build();
  } finally {
    currentOrigin = before;
  }
}

/** Runs `build` with exactly this origin and recompute group (for passes, which rebuild nodes in another place). */
export function atOrigin<T>(origin: string, recompute: string, build: () => T): T {
  const before = [currentOrigin, currentRecompute] as const;
  currentOrigin = origin;
  currentRecompute = recompute;
  try {
    return build();
  } finally {
    [currentOrigin, currentRecompute] = before;
  }
}

export function originNow(): string {
  return currentOrigin;
}

export function recomputeNow(): string {
  return currentRecompute;
}
