/** Features from the cache of the context, or computed and stored there. */
import { createHash } from "node:crypto";
import type { FeatureCache, FeatureKey, HostTensor } from "@diptych/core";

type Features = ReadonlyMap<string, HostTensor>;

/** Hash of whatever is told apart by its JSON. */
export function contentHash(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/**
 * What the cache holds under the key, where it fits; otherwise what `compute` gives, which is then stored.
 *
 * @param fits Whether what was stored is what `compute` would give, as far as that can be seen.
 */
export async function cachedFeatures(
  cache: FeatureCache | undefined,
  {
    key,
    compute,
    fits,
  }: { key: FeatureKey; compute: () => Promise<Features>; fits: (features: Features) => boolean },
): Promise<Features> {
  const known = await cache?.read(key);
  if (known && fits(known)) return known;
  const features = await compute();
  await cache?.write(key, features);
  return features;
}
