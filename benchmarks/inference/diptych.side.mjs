// This project's side: `loadClip` and its encode functions. Arguments: folder, precision.
import { createOnnxBackend } from "@diptych/backend-onnx";
import { loadClip } from "diptych";
import { createMatmulRate, matmulFlops } from "../support/matmul-rate.mjs";
import { captions, pictureFiles, pixels } from "./cases.mjs";
import { serve } from "../support/side.mjs";

const [folder, precision] = process.argv.slice(2);
const backend = await createOnnxBackend();
const clip = await loadClip(folder, { backend, precision });
const rate = await createMatmulRate(backend);
const inputs = {
  images: pixels(32, 224),
  texts: captions(256),
  files: await pictureFiles(32),
};

await serve({ name: backend.describe() }, async (request) => {
  if (request.product) return { flopsPerMs: matmulFlops / (await rate.milliseconds(5)) };
  const start = performance.now();
  const features = await embed(request);
  return {
    ms: performance.now() - start,
    first: request.first ? [...features.data.subarray(0, 8)] : undefined,
  };
});

await rate.dispose();
await clip.dispose();
await backend.dispose();

async function embed({ kind, batch, count }) {
  let last;
  const each = 3 * 224 * 224;
  for (let at = 0; at < count; at += batch) {
    if (kind === "images")
      last = await clip.encodePixels(inputs.images.subarray(at * each, (at + batch) * each));
    else if (kind === "texts") last = await clip.encodeTexts(inputs.texts.slice(at, at + batch));
    else last = await clip.encodeImages(inputs.files.slice(at, at + batch));
  }
  return last;
}
