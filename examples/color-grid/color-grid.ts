/** An image encoder in 30 lines: the mean colours of a grid of cells, through a two-layer perceptron. */
import { avgPool2d, imageInput, relu, reshape, shapeOf } from "@diptych/core";
import { definePlugin, imageEncoder, partConstructor } from "@diptych/core/plugin";
import { buildLinear, inScope } from "@diptych/nn";
import { z } from "zod";

const schema = z.strictObject({
  imageSize: z.int().default(32),
  cell: z.int().default(4).describe("pixels along a cell's side; divides imageSize"),
  width: z.int().default(256),
});

export const colorGrid = partConstructor("color-grid", schema);

export const colorGridPlugin = definePlugin({
  name: "color-grid",
  contract: 1,
  provides: [
    imageEncoder("color-grid", {
      summary: "mean colours of a grid, through a perceptron",
      schema,
      create: ({ imageSize, cell, width }, { embedDim, modality }) => ({
        modality,
        embedDim,
        inputs: [imageInput(imageSize)],
        facts: { imageHeight: imageSize, imageWidth: imageSize, channels: 3 },
        build: (context, { image }) => {
          const cells = avgPool2d(image!, cell);
          const colours = reshape(cells, [shapeOf(image!)[0]!, -1]);
          const hidden = relu(
            buildLinear(inScope(context, "hidden"), colours, { outFeatures: width }),
          );
          return {
            pooled: buildLinear(inScope(context, "out"), hidden, { outFeatures: embedDim }),
            intermediates: {},
          };
        },
      }),
    }),
  ],
});
