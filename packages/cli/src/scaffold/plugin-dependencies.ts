/** What the package of a new plugin depends on: released versions, or tarballs of a folder that `npm run pack` made. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { ConfigError } from "@diptych/core";

/** Lists a folder's tarballs by package; `scripts/pack.mjs` writes it. */
export const PACKAGE_LIST = "packages.json";

/** What a plugin's own code imports. */
const IMPORTED = ["@diptych/core", "@diptych/nn"] as const;
/** What its tests and its comparison need beside. */
const TOOLS = ["@diptych/cli", "@diptych/testing", "diptych"] as const;

/** Versions of foreign packages; a test holds them to those that this repository is tested with. */
export const FOREIGN: Readonly<Record<string, string>> = Object.freeze({
  "@iconify-json/fluent-emoji-flat": "1.2.6",
  "@iconify-json/noto": "1.2.9",
  "@iconify-json/openmoji": "1.2.29",
  "@iconify-json/twemoji": "1.2.5",
  "@types/node": "20.19.43",
  "emojibase-data": "17.0.0",
  emojilib: "4.0.3",
  typescript: "6.0.3",
  vitest: "4.1.12",
});
export const ZOD = "4.6.7";

export interface PluginDependencies {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/**
 * @param version Of Diptych's packages.
 * @param out Folder of the plugin, from which paths of tarballs are written.
 * @param packages Folder of tarballs, instead of a registry.
 * @throws ConfigError where the folder holds no list of tarballs, or not all that are needed.
 */
export async function pluginDependencies(
  version: string,
  out: string,
  packages: string | undefined,
): Promise<PluginDependencies> {
  const own =
    packages === undefined
      ? Object.fromEntries([...IMPORTED, ...TOOLS].map((name) => [name, version]))
      : await tarballs(packages, out);
  return {
    dependencies: { zod: ZOD },
    peerDependencies: Object.fromEntries(IMPORTED.map((name) => [name, `^${version}`])),
    devDependencies: sorted({ ...own, ...FOREIGN }),
  };
}

/** All of them, also those that are needed only by others: none is on a registry yet. */
async function tarballs(packages: string, out: string): Promise<Record<string, string>> {
  const list = join(packages, PACKAGE_LIST);
  if (!existsSync(list)) {
    throw new ConfigError(
      `cli/new: --packages ${packages}: expected a folder of Diptych's packages with ${PACKAGE_LIST}, got none. Make it in Diptych's repository: npm run pack`,
    );
  }
  const files = JSON.parse(await readFile(list, "utf8")) as Partial<Record<string, string>>;
  const missing = [...IMPORTED, ...TOOLS].filter((name) => {
    const file = files[name];
    return file === undefined || !existsSync(join(packages, file));
  });
  if (missing.length > 0) {
    throw new ConfigError(
      `cli/new: --packages ${packages}: expected tarballs of all packages, got none of ${missing.join(", ")}. Make the folder again: npm run pack`,
    );
  }
  const path = relative(out, packages).split(sep).join("/");
  return Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, `file:${path}/${file ?? ""}`]),
  );
}

function sorted(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
