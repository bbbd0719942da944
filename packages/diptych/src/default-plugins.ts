/** The plugins that come with `diptych`. */
import { onnxPlugin } from "@diptych/backend-onnx";
import { tfjsPlugin } from "@diptych/backend-tfjs";
import { checkpointsPlugin } from "@diptych/checkpoints";
import type { Plugin } from "@diptych/core/plugin";
import { dataPlugin } from "@diptych/data";
import { resnetPlugin } from "@diptych/encoders-resnet";
import { vitPlugin } from "@diptych/encoders-vit";
import { lossesPlugin } from "@diptych/losses";
import { textTransformerPlugin } from "@diptych/text-transformer";
import { trainingPlugin } from "@diptych/training";
import { zeroshotPlugin } from "@diptych/zeroshot";

export const defaultPlugins: readonly Plugin[] = Object.freeze([
  vitPlugin,
  resnetPlugin,
  textTransformerPlugin,
  lossesPlugin,
  trainingPlugin,
  dataPlugin,
  checkpointsPlugin,
  zeroshotPlugin,
  onnxPlugin,
  tfjsPlugin,
]);
