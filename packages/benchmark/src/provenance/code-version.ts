/** Which code measured: versions of the packages and of Node, and the commit of the working folder. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Provenance } from "../record.js";

/** A folder on a share that does not answer must not hold up a comparison. */
const GIT_TIMEOUT_MS = 10_000;

export interface CodeVersionOptions {
  /** Where the configurations and plugins lie; the process's folder by default. */
  readonly folder?: string;
  /** The program; `git` by default. */
  readonly git?: string;
}

/**
 * Versions, and the commit of `folder` where it lies in a git repository and git is installed; null otherwise.
 *
 * `dirty`: files that git tracks differ from the commit, so that the commit alone does not give the code back.
 */
export async function codeVersion({
  folder = process.cwd(),
  git = "git",
}: CodeVersionOptions = {}): Promise<Provenance["code"]> {
  const ask = (...question: readonly string[]): Promise<string | null> =>
    output(git, ["-C", folder, ...question]);
  const [diptych, commit] = await Promise.all([diptychVersion(), ask("rev-parse", "HEAD")]);
  const changes = commit === null ? null : await ask("status", "--porcelain", "-uno");
  return Object.freeze({
    diptych,
    node: process.version,
    commit,
    dirty: changes === null ? null : changes !== "",
  });
}

/** Trimmed output of a program; null where it is not there, fails or does not answer: none of it is the user's problem. */
function output(program: string, parameters: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(
      program,
      parameters,
      { timeout: GIT_TIMEOUT_MS, encoding: "utf8", maxBuffer: 2 ** 26 },
      (error, stdout) => {
        resolve(error ? null : stdout.trim());
      },
    );
  });
}

async function diptychVersion(): Promise<string> {
  const manifest = await readFile(
    fileURLToPath(import.meta.resolve("diptych/package.json")),
    "utf8",
  );
  return (JSON.parse(manifest) as { readonly version: string }).version;
}
