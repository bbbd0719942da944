/** The tensors of a run on the device: state that each step replaces, work that it reuses, and the batch. */
import {
  createHostTensor,
  elementCount,
  InternalError,
  TrainingError,
  zerosHost,
  type Backend,
  type DeviceTensor,
  type HostTensor,
} from "@diptych/core";
import { bufferName, newName, type TrainStep } from "../train-step/train-step.js";

type Tensors = Readonly<Record<string, DeviceTensor>>;

/** Owns device tensors; `dispose` gives all of them back. */
export class DeviceState {
  readonly #backend: Backend;
  readonly #step: TrainStep;
  readonly #state = new Map<string, DeviceTensor>();
  readonly #work = new Map<string, DeviceTensor>();
  readonly #fed = new Map<string, DeviceTensor>();

  private constructor(backend: Backend, step: TrainStep) {
    this.#backend = backend;
    this.#step = step;
  }

  /** Uploads first values. @throws TrainingError where `initial` lacks a parameter or has it in another shape. */
  static async create(
    backend: Backend,
    step: TrainStep,
    initial: ReadonlyMap<string, HostTensor>,
  ): Promise<DeviceState> {
    const device = new DeviceState(backend, step);
    try {
      for (const tensor of step.state) {
        const value =
          tensor.initial === "parameter"
            ? initialValue(initial, tensor.parameter, tensor.shape)
            : filled(tensor.shape, tensor.initial);
        device.#state.set(tensor.name, await backend.upload(value));
      }
      for (const { name, shape, dtype } of step.work) {
        device.#work.set(name, await backend.upload(zerosHost(dtype, shape)));
      }
    } catch (error) {
      device.dispose();
      throw error;
    }
    return device;
  }

  /** The live tensor of a state name; the next step may replace it. */
  state(name: string): DeviceTensor {
    return found(this.#state, name);
  }

  /** The tensors of `names` among state, work and what was fed. */
  feeds(names: readonly string[]): Tensors {
    return Object.fromEntries(
      names.map((name) => {
        const tensor = this.#fed.get(name) ?? this.#work.get(name) ?? this.#state.get(name);
        if (tensor) return [name, tensor];
        throw new TrainingError(
          `training/Trainer: feeds: expected each batch to give "${name}", got ${[...this.#fed.keys()].join(", ") || "nothing"}. Let the loader give it.`,
        );
      }),
    );
  }

  /** What the gradient graph writes. */
  work(): Tensors {
    return Object.fromEntries(this.#work);
  }

  /** Puts host values where the graphs read them; tensors stay in place while their shapes stay. */
  async feed(values: Readonly<Record<string, HostTensor>>): Promise<void> {
    for (const [name, value] of Object.entries(values)) {
      const tensor = this.#fed.get(name);
      if (tensor && fits(tensor, value)) {
        await tensor.write(value);
        continue;
      }
      this.#fed.delete(name);
      tensor?.dispose();
      this.#fed.set(name, await this.#backend.upload(value));
    }
  }

  /** Takes what the update gave: new state for the donated, new buffers in exchange for the old. */
  advance(outputs: Tensors): void {
    for (const name of Object.keys(this.#step.donate)) {
      const tensor = outputs[newName(name)];
      if (!tensor) {
        throw new InternalError(`training/DeviceState: the update gave no "${newName(name)}".`);
      }
      this.#state.set(name, tensor);
    }
    for (const name of this.#step.buffers) {
      const before = found(this.#state, name);
      this.#state.set(name, found(this.#work, bufferName(name)));
      this.#work.set(bufferName(name), before);
    }
  }

  /** Copies on the host, by name. */
  async read(names: readonly string[]): Promise<Map<string, HostTensor>> {
    const values = new Map<string, HostTensor>();
    for (const name of names) values.set(name, await found(this.#state, name).read());
    return values;
  }

  /** Overwrites state tensors by name. */
  async write(values: ReadonlyMap<string, HostTensor>): Promise<void> {
    for (const [name, value] of values) await found(this.#state, name).write(value);
  }

  dispose(): void {
    for (const tensors of [this.#state, this.#work, this.#fed]) {
      for (const tensor of tensors.values()) tensor.dispose();
      tensors.clear();
    }
  }
}

function fits(tensor: DeviceTensor, value: HostTensor): boolean {
  return (
    tensor.dtype === value.dtype &&
    tensor.shape.length === value.shape.length &&
    tensor.shape.every((size, i) => size === value.shape[i])
  );
}

function found(tensors: ReadonlyMap<string, DeviceTensor>, name: string): DeviceTensor {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new InternalError(`training/DeviceState: "${name}": expected a device tensor, got none.`);
}

function filled(shape: readonly number[], value: number): HostTensor {
  const tensor = zerosHost("float32", shape);
  tensor.data.fill(value);
  return tensor;
}

function initialValue(
  initial: ReadonlyMap<string, HostTensor>,
  name: string,
  shape: readonly number[],
): HostTensor {
  const value = initial.get(name);
  const wanted = `float32 [${shape.join(", ")}]`;
  if (!value || value.dtype !== "float32" || value.data.length !== elementCount(shape)) {
    const got = value ? `${value.dtype} [${value.shape.join(", ")}]` : "none";
    throw new TrainingError(
      `training/Trainer: initial values: expected ${wanted} for "${name}", got ${got}. Give every parameter of the model a value.`,
    );
  }
  return createHostTensor("float32", shape, value.data as Float32Array);
}
