// One vitest configuration for every package. Tiers are file suffixes, chosen by `--mode`:
// (none) everything but slow · golden · conformance · fuzz · slow.
import { defineConfig } from "vitest/config";

const tiers = ["golden", "conformance", "fuzz", "slow"];

export default defineConfig(({ mode }) => ({
  resolve: { conditions: ["diptych-source", "node"] },
  ssr: { resolve: { conditions: ["diptych-source", "node"] } },
  test: {
    include: tiers.includes(mode)
      ? [`packages/*/{src,test}/**/*.${mode}.test.ts`]
      : ["packages/*/{src,test}/**/*.test.ts"],
    exclude: [
      "**/node_modules/**",
      "**/dist/**",
      ...(mode === "slow" ? [] : ["**/*.slow.test.ts"]),
    ],
    setupFiles: ["./vitest.setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: mode === "slow" ? 600_000 : 60_000,
    restoreMocks: true,
  },
}));
