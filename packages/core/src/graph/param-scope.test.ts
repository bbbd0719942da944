import { describe, expect, it } from "vitest";
import { ShapeError } from "../errors.js";
import { add } from "../ops/primitives/elementwise.js";
import { input } from "../ops/primitives/leaves.js";
import { zeros } from "../random/initializers.js";
import { createParamCollector } from "./param-scope.js";

describe("ParamScope", () => {
  it("names parameters by path and keeps them in order", () => {
    const collector = createParamCollector();
    const tower = collector.root.child("visual").child("transformer");
    const weight = tower.parameter("weight", [4, 2], { initializer: zeros });
    tower.child("").parameter("bias", [4], { initializer: zeros });
    collector.root.parameter("logit_scale", [], { initializer: zeros, bounds: [0, 4.6] });
    expect(collector.specs().map(({ name }) => name)).toEqual([
      "visual.transformer.weight",
      "visual.transformer.bias",
      "logit_scale",
    ]);
    expect(collector.value("visual.transformer.weight")).toBe(weight);
    expect(collector.value("weight")).toBeUndefined();
    expect(weight.node).toMatchObject({ op: "parameter", outputs: [{ shape: [4, 2] }] });
  });

  it("decays matrices and not vectors unless told, and keeps bounds", () => {
    const collector = createParamCollector();
    const { root } = collector;
    root.parameter("matrix", [2, 2], { initializer: zeros });
    root.parameter("vector", [2], { initializer: zeros });
    root.parameter("embedding", [2, 2], { initializer: zeros, weightDecay: false });
    root.parameter("scale", [], { initializer: zeros, bounds: [0, 1] });
    root.buffer("running_mean", [2], zeros);
    expect(collector.specs().map((spec) => spec.weightDecay)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(collector.specs().map((spec) => spec.bounds)).toEqual([
      undefined,
      undefined,
      undefined,
      [0, 1],
      undefined,
    ]);
    expect(collector.specs().map((spec) => spec.role)).toEqual([
      ...Array<string>(4).fill("weight"),
      "buffer",
    ]);
  });

  it("refuses a name twice, however it was reached", () => {
    const { root } = createParamCollector();
    root.child("a").parameter("b.c", [2], { initializer: zeros });
    expect(() => root.child("a.b").parameter("c", [3], { initializer: zeros })).toThrow(
      /expected each parameter once, got "a.b.c" twice \(the second \[3\]\)/,
    );
    expect(() => root.child("a").buffer("b.c", [2], zeros)).toThrow(ShapeError);
  });

  it("gives nodes built within a scope its path as origin", () => {
    const { root } = createParamCollector();
    const x = input("x", [2]);
    const y = root.within("visual", (scope) =>
      scope.within("mlp", (inner) => {
        expect(inner.path).toBe("visual.mlp");
        return add(x, inner.parameter("bias", [2], { initializer: zeros }));
      }),
    );
    expect(y.node.origin).toBe("visual/mlp");
    expect(root.within("", (scope) => scope)).toBe(root);
  });

  it("takes one update per declared buffer, of its shape", () => {
    const collector = createParamCollector();
    const { root } = collector;
    const norm = root.child("bn");
    const mean = norm.buffer("running_mean", [2], zeros);
    norm.parameter("weight", [2], { initializer: zeros });
    expect(() => norm.updateBuffer("weight", mean)).toThrow(
      /expected a declared buffer, got "bn.weight"/,
    );
    expect(() => norm.updateBuffer("running_var", mean)).toThrow(ShapeError);
    expect(() => norm.updateBuffer("running_mean", input("x", [3]))).toThrow(
      /expected float32 \[2\] for "bn.running_mean", got float32 \[3\]/,
    );
    const updated = add(mean, 1);
    norm.updateBuffer("running_mean", updated);
    expect([...collector.bufferUpdates()]).toEqual([["bn.running_mean", updated]]);
    expect(() => norm.updateBuffer("running_mean", updated)).toThrow(/expected one update/);
  });
});
