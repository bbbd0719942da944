/** The prompts of each class, from class names and templates however they are given. */
import { ConfigError } from "@diptych/core";
import { fillTemplate, hasPlace } from "../templates.js";
import { loadImagenetPrompts } from "./imagenet.js";
import { readPromptFile, type Templates } from "./prompt-file.js";
import {
  firstTwice,
  type ClassNamesConfig,
  type PromptFile,
  type TemplatesConfig,
} from "./prompt-schema.js";

export interface ClassPrompts {
  readonly classNames: readonly string[];
  /** Of each class, in the order of the names. */
  readonly prompts: readonly (readonly string[])[];
  /**
   * Of each class the first one with the same prompts: itself, but for names that a shipped list has twice. Nothing can
   * tell such classes apart; the earlier one is the answer, as of an argmax.
   */
  readonly firstLike: readonly number[];
}

/** @throws ConfigError on a file that cannot be read, and on templates without a place for the name. */
export async function readTemplates(config: TemplatesConfig, baseDir: string): Promise<Templates> {
  if (config === "imagenet-80") return loadImagenetPrompts().templates80;
  if (config === "imagenet-7") return loadImagenetPrompts().templates7;
  if (!isFile(config)) return config;
  const templates = await readPromptFile(config, baseDir);
  const without = isList(templates) ? templates.find((template) => !hasPlace(template)) : undefined;
  if (without === undefined) return templates;
  throw new ConfigError(
    `zeroshot/prompts: ${config.file}: expected a place "{}" for the class name in each template, got "${without}". For example "a photo of a {}."`,
  );
}

/** Undefined where the configuration names none. @throws ConfigError on a file that cannot be read or has a name twice. */
export async function readClassNames(
  config: ClassNamesConfig | undefined,
  baseDir: string,
): Promise<readonly string[] | undefined> {
  if (config === undefined) return undefined;
  if (config === "imagenet") return loadImagenetPrompts().classNames;
  if (!isFile(config)) return config;
  const names = await readPromptFile(config, baseDir);
  if (!isList(names)) {
    throw new ConfigError(
      `zeroshot/prompts: ${config.file}: expected a list of class names, got an object. Give it as templates, or choose one entry: { file, key }.`,
    );
  }
  const twice = firstTwice(names);
  if (twice === undefined) return names;
  throw new ConfigError(
    `zeroshot/prompts: ${config.file}: expected each class name once, got "${twice}" twice: equal prompts cannot be told apart. Make them differ.`,
  );
}

/** Fills templates with names. @throws ConfigError where prompts by class lack one. */
export function fillPrompts(classNames: readonly string[], templates: Templates): ClassPrompts {
  const prompts = isList(templates)
    ? classNames.map((name) => templates.map((template) => fillTemplate(template, name)))
    : classNames.map((name) => ofClass(templates, name));
  const seen = new Map<string, number>();
  const firstLike = prompts.map((all, i) => {
    const key = JSON.stringify(all);
    const first = seen.get(key) ?? i;
    seen.set(key, first);
    return first;
  });
  return Object.freeze({ classNames, prompts, firstLike });
}

/** Names that prompts by class give. */
export function namesIn(templates: Templates): readonly string[] | undefined {
  return isList(templates) ? undefined : Object.keys(templates);
}

function ofClass(
  byClass: Readonly<Record<string, readonly string[]>>,
  name: string,
): readonly string[] {
  const prompts = Object.hasOwn(byClass, name) ? byClass[name] : undefined;
  if (prompts !== undefined && prompts.length > 0) return prompts;
  throw new ConfigError(
    `zeroshot/prompts: templates: expected prompts of class "${name}", got those of ${Object.keys(byClass).slice(0, 5).join(", ")}, … Add them, or leave the class out.`,
  );
}

const isFile = (config: TemplatesConfig | ClassNamesConfig): config is PromptFile =>
  typeof config === "object" && "file" in config && typeof config.file === "string";

// `Array.isArray` does not narrow readonly arrays.
const isList = (templates: Templates): templates is readonly string[] => Array.isArray(templates);
