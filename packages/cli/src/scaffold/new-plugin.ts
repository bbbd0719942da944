/** Writes the package of a new plugin from the templates that this package ships: a tower, a loss, tests, a comparison. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "@diptych/core";
import { pluginDependencies } from "./plugin-dependencies.js";

const TEMPLATES = fileURLToPath(new URL("../../templates/plugin/", import.meta.url));
const SUFFIX = ".template";
/** npm leaves files of these names out of a package: templates carry them without the dot. */
const DOTTED: readonly string[] = ["npmrc", "gitignore"];
/** Letters, digits and single dashes: what may stand in a package's name, a type of a configuration and, camel-cased, an identifier. */
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

export interface NewPluginOptions {
  readonly name: string;
  /** Folder to write into: missing, or empty but for `.git`. */
  readonly out: string;
  /** Version of Diptych's packages. */
  readonly version: string;
  /** Folder of their tarballs, where they do not come from a registry. */
  readonly packages?: string;
}

/**
 * Gives back the files that it wrote, relative to `out`.
 *
 * @throws ConfigError on another name, or where `out` holds something.
 */
export async function newPlugin(options: NewPluginOptions): Promise<readonly string[]> {
  const { name, version } = options;
  const out = resolve(options.out);
  checkName(name);
  await checkEmpty(out);
  const packages = options.packages === undefined ? undefined : resolve(options.packages);
  const dependencies = await pluginDependencies(version, out, packages);
  const files = (await readdir(TEMPLATES, { recursive: true })).filter((file) =>
    file.endsWith(SUFFIX),
  );
  const written: string[] = [];
  for (const file of files.sort()) {
    const text = fillIn(await readFile(join(TEMPLATES, file), "utf8"), name);
    const target = targetOf(file);
    const content = target === "package.json" ? withDependencies(text, dependencies) : text;
    await mkdir(dirname(join(out, target)), { recursive: true });
    await writeFile(join(out, target), content, { flag: "wx" });
    written.push(target);
  }
  return written;
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new ConfigError(
    `cli/new: name: expected small letters, digits and dashes, beginning with a letter, e.g. "hard-negatives", got "${name}".`,
  );
}

async function checkEmpty(out: string): Promise<void> {
  const found = existsSync(out) ? (await readdir(out)).filter((file) => file !== ".git") : [];
  if (found.length === 0) return;
  throw new ConfigError(
    `cli/new: --out ${out}: expected an empty folder, got one with ${found.slice(0, 3).join(", ")}${found.length > 3 ? ", …" : ""}. Name another; nothing is overwritten.`,
  );
}

/** `hard-negatives` → `hardNegatives`. */
function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function fillIn(template: string, name: string): string {
  return template.replaceAll("{{name}}", name).replaceAll("{{camel}}", camelCase(name));
}

function targetOf(file: string): string {
  const target = file.slice(0, -SUFFIX.length);
  return DOTTED.includes(target) ? `.${target}` : target;
}

function withDependencies(manifest: string, dependencies: object): string {
  return `${JSON.stringify({ ...(JSON.parse(manifest) as object), ...dependencies }, null, 2)}\n`;
}
