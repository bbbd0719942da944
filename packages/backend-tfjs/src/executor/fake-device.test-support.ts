// A device for tests of the executor: handles are numbered, values are lists of numbers, and what is alive is known.
import { createHostTensor, type HostTensor } from "@diptych/core";
import type { Device, Handle, OpCall } from "./device.js";

export interface FakeHandle extends Handle {
  readonly id: number;
  readonly values: readonly number[];
}

type FakeOp = (call: OpCall<FakeHandle>, device: FakeDevice) => readonly number[];

/** Elementwise sums and products of equal shapes, and whatever `ops` has. */
export class FakeDevice implements Device<FakeHandle> {
  readonly synchronous = true;
  readonly memoryLimit: number;
  /** Ids that are alive. */
  readonly live = new Set<number>();
  /** What was executed and freed, in order. */
  readonly log: string[] = [];
  readonly #ops: Readonly<Record<string, FakeOp>>;
  #made = 0;

  constructor(ops: Readonly<Record<string, FakeOp>> = {}, memoryLimit = Infinity) {
    this.#ops = { add: zip((a, b) => a + b), mul: zip((a, b) => a * b), ...ops };
    this.memoryLimit = memoryLimit;
  }

  make(values: readonly number[], shape: readonly number[]): FakeHandle {
    const id = this.#made++;
    this.live.add(id);
    return { id, values, shape };
  }

  enter(): Promise<void> {
    return Promise.resolve();
  }

  upload({ data, shape }: HostTensor): FakeHandle {
    return this.make([...data], shape);
  }

  async read(handle: FakeHandle): Promise<HostTensor> {
    if (!this.live.has(handle.id)) throw new Error(`handle ${handle.id} was read after its end`);
    return createHostTensor("float32", handle.shape, Float32Array.from(handle.values));
  }

  alias({ values, shape }: FakeHandle): FakeHandle {
    return this.make(values, shape);
  }

  free({ id }: FakeHandle): void {
    if (!this.live.delete(id)) throw new Error(`handle ${id} was freed twice`);
    this.log.push(`free ${id}`);
  }

  execute(call: OpCall<FakeHandle>): readonly FakeHandle[] {
    const dead = call.inputs.find(({ id }) => !this.live.has(id));
    if (dead) throw new Error(`handle ${dead.id} was used after its end`);
    this.log.push(call.node.op);
    const op = this.#ops[call.node.op];
    if (!op) throw new Error(`no ${call.node.op} here`);
    return [this.make(op(call, this), call.outputs[0]!.shape)];
  }

  usage(): { readonly tensors: number; readonly bytes: number } {
    return { tensors: this.live.size, bytes: 4 * this.live.size };
  }

  dispose(): void {
    this.log.push("dispose");
  }
}

function zip(combine: (a: number, b: number) => number): FakeOp {
  return ({ inputs: [a, b], outputs: [type] }) => {
    const size = type!.shape.reduce((product, dim) => product * dim, 1);
    const at = (handle: FakeHandle | undefined, i: number): number =>
      handle!.values[handle!.values.length === 1 ? 0 : i]!;
    return Array.from({ length: size }, (_, i) => combine(at(a, i), at(b, i)));
  };
}
