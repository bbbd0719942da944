/** The computations of evaluators on a backend: graphs compiled there, results read back, device memory given back. */
import type { Backend } from "../contracts/backend.js";
import type { Computation, Compute } from "../contracts/evaluator.js";
import type { HostTensor } from "../tensor/host-tensor.js";

export function createCompute(backend: Backend): Compute {
  return Object.freeze({
    compile: async (graph, { constants } = {}): Promise<Computation> => {
      const executable = await backend.compile(graph, {
        label: graph.name,
        ...(constants ? { constants } : {}),
      });
      return Object.freeze({
        run: async (feeds: Readonly<Record<string, HostTensor>>) => {
          const outputs = Object.entries(await executable.run(feeds));
          try {
            const read: [string, HostTensor][] = [];
            for (const [name, tensor] of outputs) read.push([name, await tensor.read()]);
            return Object.fromEntries(read);
          } finally {
            for (const [, tensor] of outputs) tensor.dispose();
          }
        },
        dispose: () => executable.dispose(),
      });
    },
  } satisfies Compute);
}
