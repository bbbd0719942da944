/** One tower compiled for embedding: its weights are constants of the executable, its batch any size. */
import {
  buildEncoders,
  ConfigError,
  createGraph,
  InternalError,
  inputName,
  type Backend,
  type ConstantPrecision,
  type Encoder,
  type Executable,
  type Graph,
  type HostTensor,
  type MultiEncoder,
} from "@diptych/core";

export interface Tower {
  readonly encoder: Encoder;
  readonly executable: Executable;
}

/** Values by state-dict name: all of the model, or read when a tower is first needed. They stay as they are meanwhile. */
export type ParameterSource =
  | ReadonlyMap<string, HostTensor>
  | ((names: ReadonlySet<string>) => Promise<ReadonlyMap<string, HostTensor>>);

export interface TowerOptions {
  readonly backend: Backend;
  readonly model: MultiEncoder;
  readonly parameters: ParameterSource;
  readonly precision?: ConstantPrecision;
}

/** Towers by modality, each compiled once. */
export interface Towers {
  readonly of: (modality: string) => Promise<Tower>;
  readonly dispose: () => Promise<void>;
}

export function createTowers(options: TowerOptions): Towers {
  const towers = new Map<string, Promise<Tower>>();
  return Object.freeze({
    of: (modality: string) => {
      let tower = towers.get(modality);
      if (!tower) {
        tower = openTower(options, modality);
        towers.set(modality, tower);
        // A tower that failed to open is tried again by the next call.
        tower.catch(() => towers.delete(modality));
      }
      return tower;
    },
    dispose: async () => {
      const opening = [...towers.values()];
      towers.clear();
      for (const tower of await Promise.allSettled(opening)) {
        if (tower.status === "fulfilled") await tower.value.executable.dispose();
      }
    },
  });
}

/** Compiles the tower of `modality` up to its features, not normalised. @throws ConfigError where the model has none. */
async function openTower(options: TowerOptions, modality: string): Promise<Tower> {
  const encoder = options.model.encoders[modality];
  if (!encoder) {
    throw new ConfigError(
      `diptych/encode: ${modality}: expected an encoder of it, got ${Object.keys(options.model.encoders).join(", ")}. Add one under model.encoders.`,
    );
  }
  const executable = await compileWithParameters(towerGraph(options.model, modality), options);
  return { encoder, executable };
}

/** `features` of the tower of `modality`, not normalised, from its inputs. */
export function towerGraph(model: MultiEncoder, modality: string): Graph {
  const { encoded } = buildEncoders({ ...model, mode: "eval", modalities: [modality] });
  const features = encoded[modality]?.pooled;
  if (!features)
    throw new InternalError(`diptych/encode: ${modality}: expected features, got none.`);
  return createGraph(`encode-${modality}`, { features });
}

/** Compiles a graph with its parameters as constants. @throws ConfigError on a parameter without a value. */
export async function compileWithParameters(
  graph: Graph,
  {
    backend,
    parameters: source,
    precision,
  }: Pick<TowerOptions, "backend" | "parameters" | "precision">,
): Promise<Executable> {
  const names = new Set(
    graph.inputs.flatMap(({ node }) => (node.op === "parameter" ? [inputName(node)] : [])),
  );
  const parameters = typeof source === "function" ? await source(names) : source;
  for (const name of names) {
    if (parameters.has(name)) continue;
    throw new ConfigError(
      `diptych/encode: parameter "${name}": expected a value, got none. Load a checkpoint of this model.`,
    );
  }
  return backend.compile(graph, {
    label: graph.name,
    constants: parameters,
    ...(precision === undefined ? {} : { precision }),
  });
}

/** Features [batch, embedDim] of one batch. */
export async function runTower(
  { encoder, executable }: Tower,
  rows: HostTensor,
  signal?: AbortSignal,
): Promise<HostTensor> {
  const [spec] = encoder.inputs;
  if (!spec)
    throw new InternalError(`diptych/encode: ${encoder.modality}: expected an input, got none.`);
  const outputs = await executable.run({ [spec.name]: rows }, signal ? { signal } : {});
  const features = outputs["features"];
  if (!features) throw new InternalError("diptych/encode: features: expected an output, got none.");
  try {
    return await features.read();
  } finally {
    features.dispose();
  }
}
