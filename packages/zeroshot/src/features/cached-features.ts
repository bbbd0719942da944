/** Features from the cache of the context, or computed and stored there. */
import { createHash } from "node:crypto";
import type { FeatureCache, FeatureKey, HostTensor } from "@diptych/core";

type Features = ReadonlyMap<string, HostTensor>;

/** Hash of whatever is told apart by its JSON. */
export function contentHash(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

export interface CachedOptions<T> {
  /** Asked for where there is a cache; undefined where what is computed has no name: then it is not cached. */
  readonly key: () => Promise<FeatureKey | undefined> | FeatureKey;
  readonly compute: () => Promise<T>;
  /** Undefined where what was stored is not what `compute` would give, as far as that can be seen. */
  readonly restore: (features: Features) => T | undefined;
  readonly store: (value: T) => Features;
}

/** What the cache holds under the key, or what `compute` gives, which is then stored. */
export async function cachedFeatures<T>(
  cache: FeatureCache | undefined,
  { key: keyOf, compute, restore, store }: CachedOptions<T>,
): Promise<T> {
  const key = cache && (await keyOf());
  if (!key) return compute();
  const stored = await cache.read(key);
  const known = stored && restore(stored);
  if (known) return known;
  const value = await compute();
  await cache.write(key, store(value));
  return value;
}
