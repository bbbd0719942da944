// The parts of a training run of a configuration file, made as `diptych train` makes them.
import {
  buildEncoders,
  buildLoss,
  createConfiguredModel,
  createGraph,
  createRandom,
  initialiseParameters,
} from "@diptych/core";
import { bindGraph, countFlops } from "@diptych/core/backend";
import { createLoader } from "@diptych/data";
import { buildTrainStep, Trainer } from "@diptych/training";
import { cacheFolder, openConfigFile } from "diptych";

const create = ({ declaration, config }, dependencies) => declaration.create(config, dependencies);

/** Model, step, trainer and loader; `flops` of a step: three times those of the forward graph. */
export async function openRun(file, backend, { precision } = {}) {
  const { config, registry, baseDir } = await openConfigFile(file);
  const { data, training, seed } = config;
  const dataset = await create(data.train, {
    baseDir,
    cacheDir: cacheFolder(),
    report: () => undefined,
  });
  const tokenizer = await create(config.tokenizer, { captions: () => dataset.captions() });
  const model = createConfiguredModel(config.model, { tokenizer });
  const loss = createLoss(config, registry, model);
  const binding = {
    imageBatch: training.batchSize * data.imagesPerSample,
    textBatch: (training.batchSize + data.extraCaptions) * data.captionsPerSample,
    textTokens: tokenizer.contextLength,
  };
  const built = buildLoss(buildEncoders({ ...model, mode: "train" }), loss);
  const { clipNorm, ema, rematerialise } = training;
  const optimizer = await create(config.optimizer, {});
  const options = { clipNorm, ema, rematerialise, binding, precision };
  const step = buildTrainStep({ built, optimizer, ...options });
  const initial = initialiseParameters(step.parameters, createRandom(seed).split("init"));
  const { imageHeight, imageWidth } = model.encoders.image.facts;
  const size = { imageHeight, imageWidth };
  return {
    flops: 3 * countFlops(bindGraph(createGraph("forward", { loss: built.loss }), binding)),
    images: binding.imageBatch,
    trainer: await Trainer.create({ backend, step, initial, seed }),
    loader: createLoader({
      dataset,
      tokenizer,
      batchSize: training.batchSize,
      seed,
      imagesPerSample: data.imagesPerSample,
      captionsPerSample: data.captionsPerSample,
      extraCaptions: data.extraCaptions,
      imageTransforms: data.transform ? [await create(data.transform, size)] : [],
      ...size,
      mean: data.mean,
      std: data.std,
      prefetch: data.prefetch,
    }),
  };
}

function createLoss(config, registry, { encoders, embedDim }) {
  const dependencies = {
    modalities: Object.keys(encoders),
    embedDim,
    createLoss: ({ type, ...settings }) => {
      const declaration = registry.find("loss", type);
      return declaration.create(declaration.schema.parse(settings), dependencies);
    },
  };
  return create(config.loss, dependencies);
}
