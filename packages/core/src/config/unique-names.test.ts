import { expect, it } from "vitest";
import { uniqueNames } from "./unique-names.js";

it.each([
  { given: [], unique: [] },
  { given: ["a", "b"], unique: ["a", "b"] },
  { given: ["a", "b", "a", "a"], unique: ["a", "b", "a-2", "a-3"] },
  { given: ["a", "a", "a-2"], unique: ["a", "a-3", "a-2"] },
  { given: ["a-2", "a", "a-2", "a"], unique: ["a-2", "a", "a-2-2", "a-3"] },
])("$given become $unique", ({ given, unique }) => {
  expect(uniqueNames(given)).toEqual(unique);
});
