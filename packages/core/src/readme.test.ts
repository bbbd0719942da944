import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";

it("the README's example prints what it says", async () => {
  const modules: Readonly<Record<string, unknown>> = {
    "@diptych/core": await import("./index.js"),
    "@diptych/core/backend": await import("./backend-entry.js"),
    "@diptych/core/reference": await import("./reference-entry.js"),
  };
  const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const code = /```js\n([^]*?)```/.exec(text)![1]!;
  const printed: string[] = [];
  const script = code.replace(
    /^import (\{[^}]*\}) from "([^"]+)";$/gm,
    'const $1 = modules["$2"];',
  );
  runInNewContext(script, {
    modules,
    console: { log: (line: string) => printed.push(line) },
  });
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
  expect(expected.length).toBe(3);
  expect(printed).toEqual(expected);
});
