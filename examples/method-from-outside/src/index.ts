/** A method of one's own: an MLP-Mixer tower (arXiv:2105.01601) and the hardest-negative hinge of VSE++ (arXiv:1707.05612). */
import * as d from "@diptych/core";
import { definePlugin, imageEncoder, loss, partConstructor } from "@diptych/core/plugin";
import { buildConv2d, buildLayerNorm, buildLinear, buildMlp, inScope } from "@diptych/nn";
import { z } from "zod";

const mixerSchema = z.strictObject({
  imageSize: z.int().min(8).multipleOf(8).default(32),
  width: z.int().min(1).default(128),
  layers: z.int().min(1).default(4),
});
export const outsideMixer = partConstructor("outside-mixer", mixerSchema);
const mixer = imageEncoder("outside-mixer", {
  summary: "MLP-Mixer: perceptrons over places, then over channels",
  schema: mixerSchema,
  create: ({ imageSize, width, layers }, { embedDim, modality }) => ({
    modality,
    embedDim,
    inputs: [d.imageInput(imageSize)],
    facts: { imageHeight: imageSize, imageWidth: imageSize, channels: 3 },
    build: (context, { image }) => {
      const turn = (x: d.Value) => d.transpose(x, [0, 2, 1]);
      const stem = { outChannels: width, kernel: imageSize / 8, stride: imageSize / 8 };
      const patches = buildConv2d(inScope(context, "stem"), image!, stem);
      let tokens = turn(d.reshape(patches, [-1, width, 64]));
      for (let i = 0; i < layers; i++) {
        const block = inScope(context, `blocks.${i}`);
        const places = turn(buildLayerNorm(inScope(block, "norm1"), tokens));
        tokens = d.add(tokens, turn(buildMlp(inScope(block, "places"), places, { mlpDim: width })));
        const channels = buildLayerNorm(inScope(block, "norm2"), tokens);
        tokens = d.add(tokens, buildMlp(inScope(block, "channels"), channels, { mlpDim: width }));
      }
      const mean = d.mean(buildLayerNorm(inScope(context, "norm"), tokens), { axes: [1] });
      const pooled = buildLinear(inScope(context, "head"), mean, { outFeatures: embedDim });
      return { pooled, tokens, intermediates: {} };
    },
  }),
});
const hingeSchema = z.strictObject({ margin: z.number().positive().default(0.2) });
export const outsideHinge = partConstructor("outside-hinge", hingeSchema);
const hinge = loss("outside-hinge", {
  summary: "mean max(0, margin + hardest negative − positive) over pictures and over captions",
  schema: hingeSchema,
  create: ({ margin }) => ({
    name: "outside-hinge",
    needs: ["features"],
    auxiliary: [d.sampleInput("image"), d.sampleInput("text")],
    scope: "batch",
    build: (_context, { normalized: { image, text }, auxiliary: { imageSample, textSample } }) => {
      const same = d.equal(d.reshape(imageSample!, [-1, 1]), d.reshape(textSample!, [1, -1]));
      const cos = d.matmul(image!, text!, { transposeB: true });
      const best = (of: d.Value, axes: number[]) => d.reduceMax(d.select(of, cos, -1), { axes });
      const gap = (axes: number[]) => d.sub(best(d.not(same), axes), best(same, axes));
      const gaps = d.add(d.concat([gap([0]), gap([1])], 0), margin);
      return { loss: d.mean(d.relu(gaps)), metrics: {} };
    },
  }),
});
const provides = [mixer, hinge];
export const outsidePlugin = definePlugin({ name: "outside", contract: 1, provides });
