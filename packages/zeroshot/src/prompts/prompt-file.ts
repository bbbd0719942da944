/** Files of class names and templates: one a line, or JSON as CLIP_benchmark's custom class names and templates. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError, DataError } from "@diptych/core";
import { z } from "zod";
import { textList, textsByClass, type PromptFile } from "./prompt-schema.js";

/** A list, or lists by class name: templates for every class, or prompts by class (as CuPL's, arXiv:2209.03320). */
export type Templates = readonly string[] | Readonly<Record<string, readonly string[]>>;

const content = z.union([textList, textsByClass]);

/**
 * Reads a file; relative paths start from `baseDir`. Text files hold one entry a line, blank lines are skipped.
 *
 * @throws ConfigError on a file that is missing, unreadable, empty or of another form
 */
export async function readPromptFile(
  { file, key }: PromptFile,
  baseDir: string,
): Promise<Templates> {
  const path = resolve(baseDir, file);
  const text = await read(path);
  if (/^\s*[[{]/.test(text) && path.toLowerCase().endsWith(".json"))
    return parse(text, { path, key });
  if (key !== undefined) {
    throw new ConfigError(
      `zeroshot/prompts: ${path}: expected a .json file with the key "${key}", got text. Leave the key out.`,
    );
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const entries = lines.filter((line) => line !== "");
  if (entries.length > 0) return entries;
  throw new ConfigError(
    `zeroshot/prompts: ${path}: expected at least one line, got an empty file. Write one class name or template a line.`,
  );
}

async function read(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(
      `zeroshot/prompts: ${path}: expected a readable file, got ${code ?? String(cause)}. Relative paths start from the configuration's folder.`,
    );
  }
  try {
    // Without the byte order mark, which the decoder takes off.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(
      `zeroshot/prompts: ${path}: expected UTF-8 text, got other bytes. Save it as UTF-8.`,
      {
        cause,
      },
    );
  }
}

function parse(
  text: string,
  { path, key }: { readonly path: string; readonly key: string | undefined },
): Templates {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(
      `zeroshot/prompts: ${path}: expected JSON, got ${(cause as Error).message}. Mend the file.`,
    );
  }
  if (key !== undefined) value = entryOf(value, { path, key });
  const parsed = content.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `zeroshot/prompts: ${path}: expected a list of texts, or { class: [texts] }, got something else${key === undefined ? "" : ` under "${key}"`}. A file with entries of several data sets needs a key: { file, key }.`,
  );
}

function entryOf(
  value: unknown,
  { path, key }: { readonly path: string; readonly key: string },
): unknown {
  const entries = typeof value === "object" && value !== null ? value : {};
  if (Object.hasOwn(entries, key)) return (entries as Record<string, unknown>)[key];
  const known = Object.keys(entries).slice(0, 8).join(", ");
  throw new ConfigError(
    `zeroshot/prompts: ${path}: expected the key "${key}", got ${known || "none"}. Choose one of them.`,
  );
}
