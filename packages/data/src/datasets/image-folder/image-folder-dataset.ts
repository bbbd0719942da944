/** A folder of pictures as a dataset: the class is the subfolder or the file's name, captions come from templates. */
import { basename, extname, join, relative, resolve, sep } from "node:path";
import { DataError, type SizedDataset } from "@diptych/core";
import { decodeImage } from "../../image/decode-image.js";
import { checkIndex } from "../check-index.js";
import { drawDistinct } from "../draw-distinct.js";
import { hashFiles, type HashFilesOptions } from "../file-hashes.js";
import { createRecordHash, type DatasetFingerprint } from "../fingerprint.js";
import type { ImageFolderConfig } from "./config.js";
import { listImages, readFolder } from "./list-images.js";

export interface ImageFolderDataset extends SizedDataset {
  /** Readable names of the classes, sorted by folder. */
  readonly classNames: readonly string[];
  conceptOf(index: number): string;
  captions(): Iterable<string>;
  fingerprint(): Promise<DatasetFingerprint>;
}

interface Picture {
  readonly path: string;
  readonly className: string;
}

/**
 * Lists the folder; pictures are decoded when they are asked for. A picture's class is its concept and its label
 * `class`; where more pictures of a sample are wanted, the one there is repeats.
 *
 * @param baseDir Where a relative path starts.
 * @param hashing Where hashes of the files are remembered, for `fingerprint`.
 * @throws DataError when there is no such folder, no picture in it, or a class that `classNames` names and the folder lacks.
 */
export async function loadImageFolder(
  config: ImageFolderConfig,
  baseDir: string,
  hashing: Omit<HashFilesOptions, "root"> = {},
): Promise<ImageFolderDataset> {
  const root = resolve(baseDir, config.path);
  const pictures =
    config.layout === "classes"
      ? await picturesByFolder(root, config)
      : await flatPictures(root, config);
  const classNames = Object.freeze([...new Set(pictures.map(({ className }) => className))]);
  const captionsOf = (className: string): string[] =>
    config.templates.map((template) => template.replaceAll("{class}", className));
  const size = pictures.length;
  const at = (index: number): Picture =>
    pictures[checkIndex(index, size, "image-folder")] as Picture;
  return Object.freeze({
    kind: "sized" as const,
    name: `image-folder ${config.path}`,
    size,
    classNames,
    conceptOf: (index) => at(index).className,
    *captions() {
      for (const className of classNames) yield* captionsOf(className);
    },
    sample: async (index, { random, images = 1, captions = 1 }) => {
      const { path, className } = at(index);
      const image =
        images > 0 ? await decodeImage(path, { pixelLimit: config.pixelLimit }) : undefined;
      return {
        id: relative(root, path),
        concept: className,
        images: image ? Array.from({ length: images }, () => image) : [],
        captions: drawDistinct(captionsOf(className), captions, random),
        labels: { class: className },
      };
    },
    fingerprint: () => fingerprintOf(pictures, config, { ...hashing, root }),
  } satisfies ImageFolderDataset);
}

/** Independent of where the folder is; pictures in their order, which their paths decide. */
async function fingerprintOf(
  pictures: readonly Picture[],
  { templates }: ImageFolderConfig,
  options: HashFilesOptions,
): Promise<DatasetFingerprint> {
  const hashes = await hashFiles(
    pictures.map(({ path }) => path),
    options,
  );
  const records = createRecordHash();
  records.add(["image-folder", templates]);
  for (const { path, className } of pictures) {
    const name = relative(options.root, path).replaceAll(sep, "/");
    records.add([name, className, hashes.get(path) ?? null]);
  }
  return {
    hash: records.digest(),
    note: `SHA-256 of ${pictures.length} pictures' contents, of their paths below the folder, classes and templates`,
  };
}

async function picturesByFolder(root: string, config: ImageFolderConfig): Promise<Picture[]> {
  const { folders, images } = await readFolder(root);
  const pictures: Picture[] = [];
  for (const folder of folders) {
    const className = classNameOf(folder, config);
    for (const path of await listImages(join(root, folder))) pictures.push({ path, className });
  }
  if (pictures.length === 0) {
    throw new DataError(
      images.length > 0
        ? `data/image-folder: ${root}: expected a folder of pictures for each class, got ${images.length} pictures and no such folder. Move them into folders named after their classes (${root}/cat/1.jpg), or set layout: "flat".`
        : emptyMessage(root, "cat/1.jpg"),
    );
  }
  checkNamed(folders, config);
  return pictures;
}

async function flatPictures(root: string, config: ImageFolderConfig): Promise<Picture[]> {
  const paths = await listImages(root);
  if (paths.length === 0) throw new DataError(emptyMessage(root, "cat-1.jpg"));
  const stems = paths.map(classStem);
  checkNamed(stems, config);
  return paths.map((path, i) => ({ path, className: classNameOf(stems[i] as string, config) }));
}

function emptyMessage(root: string, example: string): string {
  return `data/image-folder: ${root}: expected pictures (JPEG, PNG, WebP, GIF, AVIF, TIFF, SVG), got none. Put them there, e.g. ${root}/${example}, or check \`path\`.`;
}

/** `red_fox-12.jpg` → `red_fox`; a name of nothing but a number stays. */
function classStem(path: string): string {
  const stem = basename(path, extname(path));
  const cut = stem.replace(/[-_ .()]*\d+[)]?$/, "");
  return cut === "" ? stem : cut;
}

function classNameOf(folder: string, config: ImageFolderConfig): string {
  return config.classNames[folder] ?? folder.replaceAll(/[-_]+/g, " ").trim();
}

function checkNamed(found: readonly string[], config: ImageFolderConfig): void {
  const unknown = Object.keys(config.classNames).filter((name) => !found.includes(name));
  if (unknown.length === 0) return;
  throw new DataError(
    `data/image-folder: classNames: expected names of folders there are (${[...new Set(found)].slice(0, 10).join(", ")}), got ${unknown.join(", ")}. Correct or remove them.`,
  );
}
