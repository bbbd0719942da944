import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { isDiptychError } from "../errors.js";
import {
  backend,
  definePlugin,
  imageEncoder,
  isPlugin,
  loss,
  partConstructor,
  type BackendFinding,
} from "./define-plugin.js";
import { nearestName, suggestName } from "./nearest-name.js";
import { installPlugins } from "./registry.js";

const body = {
  schema: z.strictObject({ width: z.int().default(8) }),
  summary: "for tests",
  create: (): never => {
    throw new Error("not created here");
  },
};

describe("the registry", () => {
  const registry = installPlugins([
    definePlugin({ name: "towers", contract: 1, provides: [imageEncoder("vit", body)] }),
    definePlugin({
      name: "losses",
      contract: 1,
      provides: [loss("vit", body), loss("sigmoid", body)],
    }),
  ]);

  it("finds by kind and type, and lists with the plugin", () => {
    expect(registry.find("encoder", "vit")).toMatchObject({ kind: "encoder", modality: "image" });
    expect(registry.find("loss", "vit").modality).toBeUndefined();
    expect(registry.has("loss", "vit")).toBe(true);
    expect(registry.has("encoder", "sigmoid")).toBe(false);
    expect(
      registry.list("loss").map(({ plugin, declaration }) => [plugin, declaration.type]),
    ).toEqual([
      ["losses", "vit"],
      ["losses", "sigmoid"],
    ]);
    expect(registry.list()).toHaveLength(3);
  });

  it("names the nearest for an unknown one", () => {
    expect(() => registry.find("loss", "sigmiod")).toThrow(
      /loss: expected an installed one, got "sigmiod". Did you mean "sigmoid"\? Known: vit, sigmoid/,
    );
    expect(() => registry.find("dataset", "json")).toThrow(/None is installed/);
  });
});

describe("two copies of core", () => {
  it("know each other's plugins and errors", async () => {
    vi.resetModules();
    const other = await import("./define-plugin.js");
    const otherErrors = await import("../errors.js");
    expect(other.definePlugin).not.toBe(definePlugin);
    const foreign = other.definePlugin({
      name: "foreign",
      contract: 1,
      provides: [other.imageEncoder("foreign", body)],
    });
    expect(isPlugin(foreign)).toBe(true);
    expect(installPlugins([foreign]).find("encoder", "foreign").type).toBe("foreign");
    const { createToken } = await import("./tokens.js");
    expect(createToken("x").key).toBe(Symbol.for("diptych/x"));
    expect(isDiptychError(new otherErrors.DataError("x"), "DATA")).toBe(true);
  });
});

describe("declarations", () => {
  it("are frozen, and nothing runs when they are made", () => {
    const provides = [imageEncoder("vit", body)];
    const plugin = definePlugin({ name: "p", contract: 1, provides });
    provides.pop();
    expect(plugin.provides).toHaveLength(1);
    expect(Object.isFrozen(plugin) && Object.isFrozen(plugin.provides[0])).toBe(true);
    expect(isPlugin(null)).toBe(false);
    expect(isPlugin({ ...plugin })).toBe(true);
    expect(isPlugin({ name: "p", contract: 1, provides: [] })).toBe(false);
  });

  it("have typed constructors", () => {
    const vit = partConstructor("vit", body.schema);
    expect(vit({ width: 3 })).toEqual({ type: "vit", width: 3 });
    expect(vit()).toEqual({ type: "vit" });
    // @ts-expect-error -- a number is asked for
    expect(vit({ width: "3" })).toEqual({ type: "vit", width: "3" });
  });
});

describe("backends", () => {
  const finding: BackendFinding = {
    part: { type: "abacus", beads: 10 },
    status: "ready",
    detail: "10 beads",
  };
  const diagnose = () => Promise.resolve([finding]);

  it("may say what they find on this machine", async () => {
    const provides = [backend("abacus", { ...body, diagnose }), backend("mute", body)];
    const registry = installPlugins([definePlugin({ name: "p", contract: 1, provides })]);
    expect(await registry.find("backend", "abacus").diagnose?.()).toEqual([finding]);
    expect(registry.find("backend", "mute").diagnose).toBeUndefined();
    const [listed] = registry.list("backend");
    expect(await listed?.declaration.diagnose?.()).toEqual([finding]);
  });

  it("are alone in that", () => {
    const { create, schema, summary } = body;
    // @ts-expect-error -- a loss has no device to look at
    loss("with-a-device", { create, schema, summary, diagnose });
    // @ts-expect-error -- a finding says one of three things
    const finding: BackendFinding = { part: { type: "x" }, status: "fine", detail: "" };
    expect(finding.status).toBe("fine");
  });
});

describe("suggestions", () => {
  it("offer slips, not other words", () => {
    expect(nearestName("lerningRate", ["learningRate", "width"])).toBe("learningRate");
    expect(nearestName("VIT", ["vit"])).toBe("vit");
    expect(nearestName("banana", ["vit", "resnet"])).toBeUndefined();
    expect(nearestName("x", [])).toBeUndefined();
    expect(suggestName("banana", ["vit"])).toBe("Known: vit.");
  });
});
