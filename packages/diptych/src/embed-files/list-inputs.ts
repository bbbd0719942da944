/** What is to be embedded, one after another: pictures of files and folders, or the lines of a file. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@diptych/core";
import { readFolder } from "@diptych/data";
import { readLines } from "./lines.js";

/**
 * Paths of pictures: files as given, folders as the pictures in them and below, sorted.
 *
 * @throws DataError naming what is not there.
 */
export async function* listPictures(
  paths: readonly string[],
): AsyncGenerator<string, void, undefined> {
  for (const path of paths) {
    const found = await stat(path).catch((cause: unknown) => {
      throw new DataError(
        `diptych/listPictures: ${path}: expected a picture or a folder, got ${reason(cause)}. Check the path from ${process.cwd()}.`,
        { cause },
      );
    });
    if (found.isDirectory()) yield* picturesBelow(path);
    else yield path;
  }
}

async function* picturesBelow(folder: string): AsyncGenerator<string, void, undefined> {
  const { images, folders } = await readFolder(folder);
  for (const name of images) yield join(folder, name);
  for (const name of folders) yield* picturesBelow(join(folder, name));
}

/** Lines of a file, or of the standard input where `path` is "-". @throws DataError where it cannot be read. */
export async function* listLines(path: string): AsyncGenerator<string, void, undefined> {
  try {
    yield* readLines(path === "-" ? process.stdin : createReadStream(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new DataError(
      `diptych/listLines: ${path}: expected a readable text file, got ${reason(cause)}. Check the path from ${process.cwd()}.`,
      { cause },
    );
  }
}

function reason(cause: unknown): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: "nothing there",
    EISDIR: "a folder",
    EACCES: "a file that may not be read",
  };
  return known[code] ?? message;
}
