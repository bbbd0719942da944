/** Keeps what a check made, and gives it all back whether the check passed or not. */
import type {
  Backend,
  CompileOptions,
  DeviceTensor,
  Executable,
  Feed,
  Graph,
  HostTensor,
  RunOptions,
} from "@diptych/core";
import { expect } from "vitest";

/** A backend whose tensors and executables are counted. */
export interface Held {
  readonly backend: Backend;
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  upload(tensor: HostTensor): Promise<DeviceTensor>;
  run(
    executable: Executable,
    feeds: Readonly<Record<string, Feed>>,
    options?: RunOptions,
  ): Promise<Readonly<Record<string, DeviceTensor>>>;
  /** Runs once and reads every output. */
  results(
    executable: Executable,
    feeds: Readonly<Record<string, Feed>>,
    options?: RunOptions,
  ): Promise<Record<string, HostTensor>>;
}

/** Runs `work`, disposes what it made, and checks that nothing stays alive. */
export async function holding(
  backend: Backend,
  work: (held: Held) => Promise<void>,
): Promise<void> {
  const tensors = new Set<DeviceTensor>();
  const executables: Executable[] = [];
  const before = backend.memory();
  const run: Held["run"] = async (executable, feeds, options) => {
    const outputs = await executable.run(feeds, options);
    for (const tensor of Object.values(outputs)) tensors.add(tensor);
    return outputs;
  };
  const held: Held = {
    backend,
    run,
    compile: async (graph, options) => {
      const executable = await backend.compile(graph, options);
      executables.push(executable);
      return executable;
    },
    upload: async (tensor) => {
      const uploaded = await backend.upload(tensor);
      tensors.add(uploaded);
      return uploaded;
    },
    results: async (executable, feeds, options) => readAll(await run(executable, feeds, options)),
  };
  try {
    await work(held);
  } finally {
    for (const tensor of tensors) tensor.dispose();
    for (const executable of executables) await executable.dispose();
  }
  expect(backend.memory(), "memory after everything was disposed").toEqual(before);
}

export async function readAll(
  outputs: Readonly<Record<string, DeviceTensor>>,
): Promise<Record<string, HostTensor>> {
  const entries = await Promise.all(
    Object.entries(outputs).map(async ([name, tensor]) => [name, await tensor.read()] as const),
  );
  return Object.fromEntries(entries);
}
