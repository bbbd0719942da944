// Photographs of a wanted size as JPEG files, cut at different places of one of the package's fixtures.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const sharp = createRequire(import.meta.resolve("@diptych/data"))("sharp");
const photograph = fileURLToPath(
  new URL("../../packages/data/fixtures/preprocess/input/rocket.jpg", import.meta.url),
);

const count = 8;

/** Paths of 8 pictures of quality 90; made when they are not there. */
export async function makePictures(folder, width, height) {
  const files = Array.from({ length: count }, (_, i) =>
    path.join(folder, `${width}x${height}-${i}.jpg`),
  );
  for (const [i, file] of files.entries()) {
    if (existsSync(file)) continue;
    await sharp(photograph)
      .extract({ left: 8 * i, top: 4 * i, width: 500, height: 375 })
      .resize(width, height, { fit: "fill" })
      .jpeg({ quality: 90 })
      .toFile(file);
  }
  return files;
}
