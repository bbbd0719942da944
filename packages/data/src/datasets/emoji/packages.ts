/** Finds the npm packages of the emoji set in the user's project and reads their JSON. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { DataError } from "@diptych/core";
import { FAMILY_PACKAGES, WORD_PACKAGES } from "./families.js";

export interface EmojiPackages {
  /** `name@version` of each package, in a fixed order. */
  readonly versions: readonly string[];
  /** The parsed content of a JSON file of a package. @throws DataError when it is missing or no JSON. */
  readJson(packageName: string, file: string): Promise<unknown>;
}

/**
 * Resolves all packages of the emoji set from `baseDir`, or else from where this package is installed.
 *
 * @throws DataError naming the packages to install.
 */
export async function findEmojiPackages(baseDir: string): Promise<EmojiPackages> {
  const names = [...Object.values(FAMILY_PACKAGES), ...WORD_PACKAGES];
  const resolvers = [createRequire(join(baseDir, "package.json")), createRequire(import.meta.url)];
  const resolve = (path: string): string | undefined => {
    for (const resolver of resolvers) {
      try {
        return resolver.resolve(path);
      } catch {
        // Not here: the next place may have it, and what none has is reported below.
      }
    }
    return undefined;
  };
  const missing = names.filter((name) => resolve(`${name}/package.json`) === undefined);
  if (missing.length > 0) {
    throw new DataError(
      `data/emoji: packages: expected ${names.length} installed packages of drawings and words, got ${names.length - missing.length} (searched from ${baseDir}). Run: npm install --save-dev ${missing.join(" ")}`,
    );
  }
  const readJson = async (name: string, file: string): Promise<unknown> => {
    const path = resolve(`${name}/${file}`);
    if (path === undefined) {
      throw new DataError(
        `data/emoji: ${name}: expected the file ${file} in the package, found none. Install the version that the set was made for (see the README of @diptych/data).`,
      );
    }
    return parseJson(await readFile(path, "utf8"), path);
  };
  const versions = await Promise.all(
    names.map(async (name) => {
      const manifest = (await readJson(name, "package.json")) as { version?: unknown };
      return `${name}@${String(manifest.version)}`;
    }),
  );
  return { versions: Object.freeze(versions), readJson };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(
      `data/emoji: ${path}: expected JSON, got text that does not parse. Install the package again.`,
      { cause },
    );
  }
}
