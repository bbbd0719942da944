/** The image files below a folder, in an order that does not depend on the file system. */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { DataError } from "@diptych/core";

/** What sharp's prebuilt library decodes. */
const IMAGE_EXTENSIONS: readonly string[] = Object.freeze([
  ".jpg",
  ".jpeg",
  ".png",
  ".webp",
  ".gif",
  ".avif",
  ".tif",
  ".tiff",
  ".svg",
]);

export interface FolderContent {
  readonly folders: readonly string[];
  readonly images: readonly string[];
}

/** Names of the folders and image files in `folder`, sorted by code unit; links are followed, hidden names left out. @throws DataError when it cannot be read. */
export async function readFolder(folder: string): Promise<FolderContent> {
  const entries = (await listEntries(folder))
    .filter((entry) => !entry.name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const folders: string[] = [];
  const images: string[] = [];
  for (const entry of entries) {
    const known = entry.isSymbolicLink() ? await stat(join(folder, entry.name)) : entry;
    if (known.isDirectory()) folders.push(entry.name);
    else if (known.isFile() && IMAGE_EXTENSIONS.includes(extname(entry.name).toLowerCase())) {
      images.push(entry.name);
    }
  }
  return { folders, images };
}

/** Paths of all images in `folder` and below. */
export async function listImages(folder: string): Promise<readonly string[]> {
  const { folders, images } = await readFolder(folder);
  const below: string[] = [];
  for (const name of folders) below.push(...(await listImages(join(folder, name))));
  return [...images.map((name) => join(folder, name)), ...below];
}

async function listEntries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const got =
      code === "ENOENT" ? "none" : code === "ENOTDIR" ? "a file" : (cause as Error).message;
    throw new DataError(
      `data/image-folder: ${folder}: expected a folder, got ${got}. Relative paths start at the config's folder; check \`path\`.`,
      { cause },
    );
  }
}
