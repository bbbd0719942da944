// From a file to the first result in a fresh process: time, and growth of resident memory. Arguments: folder, prepacking.
import { statSync } from "node:fs";
import path from "node:path";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { loadClip } from "diptych";
import { giveResult, peakBytes } from "../support/child-process.mjs";
import { pixels } from "./cases.mjs";

const [folder, prepacking] = process.argv.slice(2);
const image = pixels(1, 224);
const before = process.memoryUsage.rss();
const start = performance.now();
const backend = await createOnnxBackend({ prepack: prepacking === "prepacked" });
const clip = await loadClip(folder, { backend });
await clip.encodePixels(image);
const milliseconds = performance.now() - start;
const peak = peakBytes();
await clip.dispose();
await backend.dispose();
const fileBytes = statSync(path.join(folder, "open_clip_model.safetensors")).size;
giveResult({
  milliseconds,
  growthBytes: peak - before,
  fileBytes,
  ofFile: (peak - before) / fileBytes,
});
