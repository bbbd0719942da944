// transformers.js's side, as its users write it. Arguments: folder, dtype.
import path from "node:path";
import {
  AutoProcessor,
  AutoTokenizer,
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  env,
  RawImage,
  Tensor,
} from "@huggingface/transformers";
import { captions, pictureFiles, pixels } from "./cases.mjs";
import { serve } from "../support/side.mjs";

const [folder, dtype] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = path.dirname(folder);
const name = path.basename(folder);
const vision = await CLIPVisionModelWithProjection.from_pretrained(name, { dtype });
const text = await CLIPTextModelWithProjection.from_pretrained(name, { dtype });
const processor = await AutoProcessor.from_pretrained(name);
const tokenizer = await AutoTokenizer.from_pretrained(name);
const inputs = { images: pixels(32, 224), texts: captions(256), files: await pictureFiles(32) };

await serve({ name: `transformers.js ${env.version}, ${dtype}` }, async (request) => {
  const start = performance.now();
  const features = await embed(request);
  return {
    ms: performance.now() - start,
    first: request.first
      ? unit(features.data.subarray(0, features.dims[1])).slice(0, 8)
      : undefined,
  };
});

async function embed({ kind, batch, count }) {
  let last;
  const each = 3 * 224 * 224;
  for (let at = 0; at < count; at += batch) {
    if (kind === "images") {
      const part = inputs.images.subarray(at * each, (at + batch) * each);
      const pixel_values = new Tensor("float32", part, [batch, 3, 224, 224]);
      last = (await vision({ pixel_values })).image_embeds;
    } else if (kind === "texts") {
      const tokens = tokenizer(inputs.texts.slice(at, at + batch), {
        padding: true,
        truncation: true,
      });
      last = (await text(tokens)).text_embeds;
    } else {
      const images = await Promise.all(
        inputs.files.slice(at, at + batch).map((file) => RawImage.read(file)),
      );
      last = (await vision(await processor(images))).image_embeds;
    }
  }
  return last;
}

function unit(row) {
  const length = Math.hypot(...row);
  return [...row].map((value) => value / length);
}
