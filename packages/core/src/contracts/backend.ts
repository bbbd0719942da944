/** Backend: compiles graphs and runs them; tensors may stay on the device between runs. Backends only ever see graphs. */
import type { Graph } from "../graph/graph.js";
import type { DType } from "../tensor/dtype.js";
import type { HostTensor } from "../tensor/host-tensor.js";

/** What a backend can do, as data for the passes. */
export interface BackendCapabilities {
  /** Composites that it lowers natively; `legalize` expands the others. */
  readonly nativeComposites: ReadonlySet<string>;
  readonly dtypes: ReadonlySet<DType>;
  /** Of these, the ones that may stand in a graph and are computed in float32 between two casts: no faster than float32. */
  readonly emulatedDtypes?: ReadonlySet<DType>;
  /** Whether donated inputs are really updated in place. */
  readonly donation: boolean;
  /** Layout that convolutions want; core is NCHW. */
  readonly imageLayout: "NCHW" | "NHWC";
  readonly deviceMemory: "host" | "device";
}

/** Values on the device. Its owner is whoever received it; `dispose` gives the memory back. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** A copy on the host. @throws BackendError when disposed or donated. */
  read(): Promise<HostTensor>;
  /** Overwrites the values in place (same dtype and shape): how a batch reaches a tensor that stays bound. */
  write(tensor: HostTensor): Promise<void>;
  dispose(): void;
}

export type Feed = HostTensor | DeviceTensor;

/** In how many bits an executable keeps and multiplies its constants; activations, norms and softmax stay float32. */
export type ConstantPrecision = "float32" | "float16" | "int8";

export interface CompileOptions {
  /**
   * Values of inputs (in practice: weights) that are the same in every run, by input name; they are not fed. A backend
   * may rearrange, narrow or drop them, or read the host arrays in every run: leave those as they are while the executable
   * lives. Names that the graph has not are passed over, so that one map serves all towers of a model.
   */
  readonly constants?: ReadonlyMap<string, HostTensor>;
  /** A permission to keep the constants in fewer bits, at some loss of accuracy; float32 by default. */
  readonly precision?: ConstantPrecision;
  /**
   * Input name → output name: the output may overwrite the input's memory. A permission: results equal those of a run
   * without it. After a run the fed device tensor is spent and the output holds its memory.
   */
  readonly donate?: Readonly<Record<string, string>>;
  /** Shown in errors and profiles. */
  readonly label?: string;
}

export interface RunOptions {
  /** Ends a run in flight; the promise rejects with an AbortError once the device is idle. */
  readonly signal?: AbortSignal;
  /** Outputs to write into given device tensors (same dtype and shape) rather than into new ones. */
  readonly into?: Readonly<Record<string, DeviceTensor>>;
}

/** A compiled graph. Symbols in input shapes take their sizes from each run's feeds. */
export interface Executable {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs once; one run at a time per backend, later ones wait. @throws BackendError, ShapeError on feeds that do not fit. */
  run(
    feeds: Readonly<Record<string, Feed>>,
    options?: RunOptions,
  ): Promise<Readonly<Record<string, DeviceTensor>>>;
  dispose(): Promise<void>;
}

/** Bytes copied between the host's memory and a device's since the backend was created. */
export interface BackendTransfers {
  readonly toDevice: number;
  readonly toHost: number;
}

export interface Backend {
  readonly name: string;
  readonly capabilities: BackendCapabilities;
  /** One line for people: runtime, version, provider, threads. */
  describe(): string;
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  upload(tensor: HostTensor): Promise<DeviceTensor>;
  /** Live device tensors and their bytes: 0 once everything was disposed. */
  memory(): { readonly tensors: number; readonly bytes: number };
  /** What crossed the bus so far, for backends that count it; 0 where the device computes in the host's memory. */
  transfers?(): BackendTransfers;
  dispose(): Promise<void>;
}
