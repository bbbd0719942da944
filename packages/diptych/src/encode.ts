/** Embedding: one compiled graph per modality in evaluation mode, parameters resident, batches of any size. */
import {
  buildEncoders,
  ConfigError,
  createGraph,
  createHostTensor,
  inputName,
  isSymbolic,
  type Backend,
  type DeviceTensor,
  type EncodeFunctions,
  type Encoder,
  type Executable,
  type Feed,
  type HostTensor,
  type Image,
  type MultiEncoder,
  type Tokenizer,
} from "@diptych/core";

export interface EncoderRuntimeOptions {
  readonly backend: Backend;
  readonly model: MultiEncoder;
  /** Values of the parameters by state-dict name, on the host or on the device. They stay the caller's. */
  readonly parameters: ReadonlyMap<string, Feed>;
  readonly tokenizer: Tokenizer;
  /** Pictures to the image tower's input [n, 3, height, width]. */
  readonly prepareImages: (images: readonly Image[]) => Promise<HostTensor<"float32">>;
  /** Samples embedded in one run. */
  readonly batchSize?: number;
}

/** Embeds pictures and texts; `dispose` frees what it put on the device. */
export interface EncoderRuntime extends EncodeFunctions {
  readonly embedDim: number;
  dispose(): Promise<void>;
}

/** Text lengths are rounded up to this, so that a runtime sees few different shapes. */
const LENGTH_STEP = 8;

interface Tower {
  readonly encoder: Encoder;
  readonly executable: Executable;
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly owned: readonly DeviceTensor[];
}

/** Compiled lazily: a run that embeds only texts never compiles the image tower. */
export function createEncoderRuntime(options: EncoderRuntimeOptions): EncoderRuntime {
  const { model, tokenizer, prepareImages, batchSize = 64 } = options;
  const towers = new Map<string, Promise<Tower>>();
  const towerOf = (modality: string): Promise<Tower> => {
    const tower = towers.get(modality) ?? openTower(options, modality);
    towers.set(modality, tower);
    return tower;
  };
  return Object.freeze({
    embedDim: model.embedDim,
    images: (images: readonly Image[]) =>
      inBatches(images, batchSize, model.embedDim, async (batch) =>
        runTower(await towerOf("image"), await prepareImages(batch)),
      ),
    texts: (texts: readonly string[]) =>
      inBatches(texts, batchSize, model.embedDim, async (batch) => {
        const tower = await towerOf("text");
        return runTower(tower, tokenRows(tower.encoder, tokenizer, batch));
      }),
    dispose: async () => {
      for (const opening of towers.values()) {
        const tower = await opening;
        await tower.executable.dispose();
        for (const tensor of tower.owned) tensor.dispose();
      }
      towers.clear();
    },
  });
}

async function openTower(options: EncoderRuntimeOptions, modality: string): Promise<Tower> {
  const { backend, model, parameters } = options;
  const encoder = model.encoders[modality];
  if (!encoder) {
    throw new ConfigError(
      `diptych/encode: ${modality}: expected an encoder of it, got ${Object.keys(model.encoders).join(", ")}. Add one under model.encoders.`,
    );
  }
  const built = buildEncoders({ ...model, mode: "eval", modalities: [modality] });
  const features = built.normalized[modality];
  if (!features) throw new ConfigError(`diptych/encode: ${modality}: expected features, got none.`);
  const graph = createGraph(`encode-${modality}`, { features });
  const executable = await backend.compile(graph, { label: graph.name });
  const feeds: Record<string, Feed> = {};
  const owned: DeviceTensor[] = [];
  for (const { node } of graph.inputs) {
    if (node.op !== "parameter") continue;
    const name = inputName(node);
    const value = parameters.get(name);
    if (!value) {
      throw new ConfigError(
        `diptych/encode: parameter "${name}": expected a value, got none. Load a checkpoint of this model.`,
      );
    }
    if ("data" in value) {
      const tensor = await backend.upload(value);
      owned.push(tensor);
      feeds[name] = tensor;
    } else feeds[name] = value;
  }
  return { encoder, executable, feeds, owned };
}

async function runTower(tower: Tower, rows: HostTensor): Promise<HostTensor> {
  const [spec] = tower.encoder.inputs;
  if (!spec)
    throw new ConfigError(
      `diptych/encode: ${tower.encoder.modality}: expected an input, got none.`,
    );
  const outputs = await tower.executable.run({ ...tower.feeds, [spec.name]: rows });
  const features = outputs["features"];
  if (!features) throw new ConfigError("diptych/encode: features: expected an output, got none.");
  const host = await features.read();
  features.dispose();
  return host;
}

/** Ids [batch, tokens], cut to the longest text where the tower takes any length. */
function tokenRows(
  encoder: Encoder,
  tokenizer: Tokenizer,
  texts: readonly string[],
): HostTensor<"int32"> {
  const { ids, lengths, batch, contextLength } = tokenizer.encodeBatch(texts);
  const tokens = encoder.inputs[0]?.shape[1];
  const longest = Math.max(1, ...lengths);
  const width =
    tokens !== undefined && isSymbolic(tokens)
      ? Math.min(contextLength, Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP)
      : contextLength;
  if (width === contextLength) return createHostTensor("int32", [batch, contextLength], ids);
  const cut = new Int32Array(batch * width);
  for (let row = 0; row < batch; row++) {
    cut.set(ids.subarray(row * contextLength, row * contextLength + width), row * width);
  }
  return createHostTensor("int32", [batch, width], cut);
}

async function inBatches<T>(
  items: readonly T[],
  batchSize: number,
  width: number,
  embed: (batch: readonly T[]) => Promise<HostTensor>,
): Promise<HostTensor<"float32">> {
  const data = new Float32Array(items.length * width);
  for (let start = 0; start < items.length; start += batchSize) {
    const rows = await embed(items.slice(start, start + batchSize));
    data.set(rows.data, start * width);
  }
  return createHostTensor("float32", [items.length, width], data);
}
