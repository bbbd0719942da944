import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenedConfig } from "diptych";
import { afterAll, beforeAll, expect, it } from "vitest";
import { keptIn, type TimedMethod } from "./step-seconds.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-seconds-"));
});
afterAll(() => rm(folder, { recursive: true }));

const method = (name: string, layers: number): TimedMethod => ({
  method: name,
  opened: { config: { plain: { name, layers, unset: undefined } } } as unknown as OpenedConfig,
});

it("times once what a comparison begins with, and only what is new after that", async () => {
  const timed: string[][] = [];
  const timer = keptIn(join(folder, "out"), (methods, seconds) => {
    timed.push(methods.map((one) => one.method));
    return Promise.resolve(methods.map((_, i) => seconds / 100 + timed.length + i));
  });
  const [a, b] = [method("a", 1), method("b", 1)];
  expect(await timer([a, b], 100, {})).toEqual([2, 3]);
  expect(await timer([a, b], 100, {})).toEqual([2, 3]);
  expect(await timer([method("a", 2), b], 100, {})).toEqual([3, 3]);
  expect(await timer([a, b], 200, {})).toEqual([5, 6]);
  expect(timed).toEqual([["a", "b"], ["a"], ["a", "b"]]);
});
