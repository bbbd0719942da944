import { describe, expect, it } from "vitest";
import { UnsupportedOpError } from "../errors.js";
import { OP_NAMES, compositeDef, opDef } from "./op-table.js";

describe("opDef", () => {
  it.each(OP_NAMES)("knows %s", (name) => {
    expect(opDef(name).name).toBe(name);
    expect(compositeDef(name) !== undefined).toBe(opDef(name).kind === "composite");
  });

  it("names the nearest known op", () => {
    expect(() => opDef("layernorm")).toThrow(UnsupportedOpError);
    expect(() => opDef("layernorm")).toThrow(/Did you mean "layerNorm"/);
    expect(() => opDef("toString")).toThrow(UnsupportedOpError);
  });
});
