// Writes one entry of a cache many times over, as another process: folder, model, seed.
import { hostTensorFrom } from "@diptych/core";
import { createFeatureCache } from "./feature-cache.js";

const [folder = "", model = "", seed = "0"] = process.argv.slice(2);
const cache = createFeatureCache({ folder, model });
const values = Array.from({ length: 20_000 }, (_, i) => i + Number(seed));
const features = new Map([["images", hostTensorFrom("float32", [200, 100], values)]]);
for (let i = 0; i < 20; i++) {
  await cache.write({ what: "dataset", content: "c" }, features);
  const found = await cache.read({ what: "dataset", content: "c" });
  const data = found?.get("images")?.data;
  // Whole, whoever wrote it last.
  if (!data || (data[199] ?? 0) - (data[0] ?? 0) !== 199) throw new Error("a mixed entry");
}
