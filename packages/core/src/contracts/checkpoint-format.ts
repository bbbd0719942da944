/** Checkpoint format: detects, reads lazily and writes named tensors with metadata. */
import type { HostTensor } from "../tensor/host-tensor.js";
import type { DType } from "../tensor/dtype.js";

/** Formats store more element types than the graph has; readers convert to float32 or int32 on `read`. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType | "float64" | "int64" | "int8" | "uint8" | "int16";
  readonly shape: readonly number[];
}

/** An open checkpoint: entries are known, values are read when asked for. */
export interface CheckpointReader {
  readonly path: string;
  readonly entries: readonly TensorEntry[];
  /** Config and other plain data beside the tensors. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Values as float32 (floats), int32 (integers) or bool. @throws CheckpointError when unknown or truncated. */
  read(name: string): Promise<HostTensor>;
  close(): Promise<void>;
}

export interface CheckpointContent {
  readonly tensors: Iterable<readonly [string, HostTensor]>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface CheckpointFormat {
  readonly name: string;
  /** Whether `path` (file or folder) looks like this format. */
  detect(path: string): Promise<boolean>;
  /** @throws CheckpointError on a file that is truncated or not of this format. */
  open(path: string): Promise<CheckpointReader>;
  /** Written beside and renamed: a crash leaves what was there. Absent where a format is only read. */
  write?(path: string, content: CheckpointContent): Promise<void>;
}

/** A format that can be written too. */
export interface WritableCheckpointFormat extends CheckpointFormat {
  write(path: string, content: CheckpointContent): Promise<void>;
}
