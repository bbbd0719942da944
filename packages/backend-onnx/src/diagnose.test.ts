import { expect, it } from "vitest";
import { diagnoseProviders } from "./diagnose.js";

it("tells of every provider what it is, or what is missing and what brings it", async () => {
  const findings = await diagnoseProviders();
  expect(findings.map(({ part }) => part)).toEqual([
    { type: "onnx", provider: "cpu" },
    { type: "onnx", provider: "webgpu" },
    { type: "onnx", provider: "cuda" },
  ]);
  const [cpu, ...others] = findings;
  expect(cpu).toMatchObject({ status: "ready", slow: false });
  expect(cpu?.detail).toMatch(/ONNX Runtime 1\.\d+\.\d+ .*\(float32, /);
  for (const { status, detail } of others) {
    expect(status).not.toBe("broken");
    if (status === "missing") expect(detail).toMatch(/[Ii]nstall|Run `|choose/);
  }
});
