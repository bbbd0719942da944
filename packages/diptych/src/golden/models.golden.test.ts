// The golden models on the reference evaluator: what the graph means, in float64, against open_clip in float32.
import { evaluateGraph } from "@diptych/core/reference";
import { describeModelGoldens } from "./models.golden.test-support.js";

describeModelGoldens("the reference evaluator", async () => ({
  run: async (graph, feeds) =>
    Object.fromEntries(
      Object.entries(evaluateGraph(graph, feeds)).map(([name, { data }]) => [name, data]),
    ),
}));
