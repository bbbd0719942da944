// Typed linting with no warnings, and the direction of dependencies between packages (docs/architecture.md).
import eslint from "@eslint/js";
import nx from "@nx/eslint-plugin";
import prettier from "eslint-config-prettier";
import { defineConfig } from "eslint/config";
import globals from "globals";
import tseslint from "typescript-eslint";

const testFiles = ["**/*.test.ts", "**/*.test-support.ts", "**/*.fixture.ts", "vitest.setup.ts"];

/** Foreign libraries that one place alone may import. */
const owners = {
  container: {
    place: "packages/core/src/plugin/container.ts",
    libraries: ["tsyringe", "reflect-metadata"],
  },
  onnx: {
    place: "packages/backend-onnx",
    libraries: ["onnxruntime-node", "onnxruntime-common", "koffi"],
  },
  tfjs: {
    place: "packages/backend-tfjs",
    libraries: [
      "@tensorflow/tfjs",
      "@tensorflow/tfjs-backend-cpu",
      "@tensorflow/tfjs-backend-wasm",
      "@tensorflow/tfjs-backend-webgpu",
      "@tensorflow/tfjs-core",
      "@tensorflow/tfjs-node",
      "@tensorflow/tfjs-node-gpu",
      "webgpu",
    ],
  },
  images: { place: "packages/data", libraries: ["sharp"] },
};
const deepImports = {
  regex: "^(@diptych/[^/]+|diptych)/(src|dist)(/|$)",
  message: "Import a package by its public entry points only.",
};
const otherPackageByPath = {
  regex: "^(\\.\\./)+(packages/|node_modules/)",
  message: "Import another package by its name.",
};
const testingInProduction = {
  regex: "^(@diptych/testing|vitest)(/|$)",
  message: "Only tests use @diptych/testing and vitest.",
};

function restrictImports({ allow = [], patterns = [] } = {}) {
  const paths = Object.entries(owners)
    .filter(([owner]) => !allow.includes(owner))
    .flatMap(([, { place, libraries }]) =>
      libraries.map((name) => ({ name, message: `Only ${place} imports ${name}.` })),
    );
  return {
    "no-restricted-imports": [
      "error",
      { paths, patterns: [deepImports, otherPackageByPath, ...patterns] },
    ],
  };
}

/** Which package types a package of each type may use. */
const layers = {
  core: [],
  nn: ["core", "testing"],
  testing: ["core"],
  plugin: ["core", "nn", "testing"],
  facade: ["core", "nn", "plugin", "testing"],
  benchmark: ["core", "facade", "testing"],
  cli: ["core", "facade", "benchmark", "testing"],
};

export default defineConfig(
  {
    ignores: [
      "**/node_modules/",
      "**/dist/",
      "**/coverage/",
      "**/test-results/",
      "bench-results/",
      "quickstart/",
      "runs/",
      ".nx/",
      ".diptych-cache/",
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": [
        "error",
        // typeof import("…") is the type of a native library that is loaded when first needed.
        { fixStyle: "inline-type-imports", disallowTypeAnnotations: false },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      // With noUncheckedIndexedAccess, `values[i]!` is how a loop states that i is in range.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "@typescript-eslint/only-throw-error": "error",
      // Splitting text into code points is what tokenizers mean.
      "@typescript-eslint/no-misused-spread": ["error", { allow: ["string"] }],
      // Record<never, never> says that something has no attributes or no dependencies.
      "@typescript-eslint/no-generated-empty-object-type": "off",
      // An async method without await is how a synchronous implementation keeps an asynchronous contract.
      "@typescript-eslint/require-await": "off",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Use named exports." },
        {
          selector: "ClassDeclaration[superClass]:not([superClass.name=/Error$/])",
          message: "No inheritance but from Error.",
        },
      ],
      eqeqeq: "error",
      "no-console": "error",
      "no-param-reassign": "off",
      "prefer-const": "error",
    },
  },
  {
    files: ["packages/*/src/**/*.ts"],
    ignores: testFiles,
    rules: {
      "max-lines": ["error", { max: 350, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", { max: 4 }],
    },
  },
  {
    // ONNX Runtime's C API lives in one file, a table written by a script.
    files: ["packages/backend-onnx/src/runtime/c-api.ts"],
    rules: { "max-lines": "off" },
  },
  {
    files: ["packages/**/*.ts"],
    plugins: { "@nx": nx },
    rules: {
      "@nx/enforce-module-boundaries": [
        "error",
        {
          enforceBuildableLibDependency: true,
          allow: [],
          depConstraints: Object.entries(layers).map(([layer, uses]) => ({
            sourceTag: `type:${layer}`,
            onlyDependOnLibsWithTags: uses.map((name) => `type:${name}`),
          })),
        },
      ],
      ...restrictImports({ patterns: [testingInProduction] }),
    },
  },
  { files: testFiles, rules: restrictImports() },
  { files: ["packages/testing/**/*.ts"], rules: restrictImports() },
  {
    files: ["packages/core/src/plugin/container.ts"],
    rules: restrictImports({ allow: ["container"], patterns: [testingInProduction] }),
  },
  {
    files: ["packages/backend-onnx/**/*.ts"],
    ignores: testFiles,
    rules: restrictImports({ allow: ["onnx"], patterns: [testingInProduction] }),
  },
  {
    files: ["packages/backend-onnx/**/*.{test,test-support,fixture}.ts"],
    rules: restrictImports({ allow: ["onnx"] }),
  },
  {
    files: ["packages/backend-tfjs/**/*.ts"],
    ignores: testFiles,
    rules: restrictImports({ allow: ["tfjs"], patterns: [testingInProduction] }),
  },
  {
    files: ["packages/backend-tfjs/**/*.{test,test-support,fixture}.ts"],
    rules: restrictImports({ allow: ["tfjs"] }),
  },
  {
    files: ["packages/data/**/*.ts"],
    ignores: testFiles,
    rules: restrictImports({ allow: ["images"], patterns: [testingInProduction] }),
  },
  {
    files: ["packages/data/**/*.{test,test-support,fixture}.ts"],
    rules: restrictImports({ allow: ["images"] }),
  },
  {
    // The command line is what prints.
    files: ["packages/cli/**/*.ts", "vitest.setup.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["*.ts", "configs/**/*.ts", "examples/**/*.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    files: testFiles,
    rules: {
      "@typescript-eslint/no-unsafe-assignment": "off", // expect.any() and friends are any
    },
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: { globals: globals.node },
  },
  prettier,
);
