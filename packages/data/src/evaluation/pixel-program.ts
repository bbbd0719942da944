/** resample.wat as an instance with memory of its own; compiled once in a thread. */
import { RESAMPLE_WASM } from "./resample-wasm.js";

/** What is used of WebAssembly: Node's types leave it out, and the browser's would bring the rest of a browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: Readonly<Record<string, unknown>>;
  };
};

export interface ProgramMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Arguments are addresses and counts; resample.wat says which. */
type Pass = (...args: number[]) => void;

export interface PixelProgram {
  readonly memory: ProgramMemory;
  /** By channels. */
  readonly horizontal: Readonly<Record<3 | 4, Pass>>;
  readonly vertical: Pass;
  readonly normalize: Pass;
}

let compiled: object | undefined;

export function loadPixelProgram(): PixelProgram {
  compiled ??= new WebAssembly.Module(Buffer.from(RESAMPLE_WASM, "base64"));
  const { exports } = new WebAssembly.Instance(compiled);
  return {
    memory: exports["memory"] as ProgramMemory,
    horizontal: { 3: exports["horizontal3"] as Pass, 4: exports["horizontal4"] as Pass },
    vertical: exports["vertical"] as Pass,
    normalize: exports["normalize"] as Pass,
  };
}

const PAGE = 65_536;

/** The memory, of at least `bytes`. */
export function reserveMemory(program: PixelProgram, bytes: number): Uint8Array {
  const { memory } = program;
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return new Uint8Array(memory.buffer);
}

/** The next multiple of 16. */
export function alignBytes(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
