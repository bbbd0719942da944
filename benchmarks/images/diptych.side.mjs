// Our side: one picture after the other on one thread (decoding on one of libuv's), exact or fast.
import { createEvaluationTransform } from "@diptych/data";
import { serve } from "../support/side.mjs";

const transforms = {
  exact: createEvaluationTransform(),
  fast: createEvaluationTransform({ resize: "fast" }),
};
const out = new Float32Array(3 * 224 * 224);

await serve({ name: "diptych" }, async ({ files, resize }) => {
  const start = performance.now();
  const before = process.cpuUsage();
  for (const file of files) await transforms[resize].write(file, out);
  const { user, system } = process.cpuUsage(before);
  return {
    ms: performance.now() - start,
    cpuMs: (user + system) / 1000,
    first: [...out.subarray(0, 8)],
  };
});
