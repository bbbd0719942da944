import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { modelLabels } from "./model-labels.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-labels-"));
  for (const path of ["a-seed0/model", "a-seed1/model", "b", "b/deep/model"])
    await mkdir(join(folder, path), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const at = (path: string, name?: string) => {
  const source = join(folder, path);
  return { source, name: name ?? source };
};

it.each([
  [
    "names of configurations",
    [
      ["a-seed0/model", "one"],
      ["b", "two"],
    ],
    ["one", "two"],
  ],
  ["last folders without a configuration", [["a-seed0"], ["b"]], ["a-seed0", "b"]],
  ["what differs in the paths", [["a-seed0/model"], ["a-seed1/model"]], ["a-seed0", "a-seed1"]],
  [
    "what differs under one name",
    [
      ["a-seed0/model", "one"],
      ["a-seed1/model", "one"],
    ],
    ["a-seed0", "a-seed1"],
  ],
  [
    "paths of other lengths",
    [
      ["a-seed0/model", "one"],
      ["b/deep/model", "one"],
    ],
    ["a-seed0", "b/deep"],
  ],
] as const)("are %s", (_, models, labels) => {
  expect(modelLabels(models.map(([path, name]) => at(path, name)))).toEqual(labels);
});

it("are whole where one is a public model, or one path lies in another", () => {
  const named = { source: "openai/clip", name: "one" };
  const folderOfOne = at("a-seed0/model", "one");
  expect(modelLabels([named, folderOfOne])).toEqual(["openai/clip", folderOfOne.source]);
  const both = [at("b", "one"), at("b/deep/model", "one")];
  expect(modelLabels(both)).toEqual(["b", "b/deep/model"]);
});
