/** The pipeline's thread as one JavaScript file: threads of tests cannot load TypeScript. */
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

/** Bundles image-worker.ts into the package's ignored test-results folder. */
export async function bundleWorker(): Promise<URL> {
  const outDir = fileURLToPath(new URL("../../test-results/image-worker", import.meta.url));
  await build({
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: [/^@diptych\//] },
    resolve: { conditions: ["diptych-source", "node"] },
    build: {
      ssr: fileURLToPath(new URL("image-worker.ts", import.meta.url)),
      outDir,
      emptyOutDir: true,
      rolldownOptions: { output: { entryFileNames: "image-worker.mjs" } },
    },
  });
  return new URL("image-worker.mjs", `${pathToFileURL(outDir).href}/`);
}
