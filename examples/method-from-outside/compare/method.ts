/** The baseline with another tower and another loss; all else is the baseline's. */
import { defineConfig } from "diptych";
import { outsideHinge, outsideMixer, outsidePlugin } from "../src/index.js";
import clip from "./clip.js";

export default defineConfig({
  ...clip,
  name: "outside",
  plugins: [outsidePlugin],
  model: {
    ...clip.model,
    encoders: { ...clip.model.encoders, image: outsideMixer({ width: 64, layers: 3 }) },
  },
  loss: outsideHinge(),
});
