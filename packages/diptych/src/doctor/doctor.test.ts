import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeFakeConfig, type FakeConfig } from "../isolated/fake-config.test-support.js";
import { runDoctor, type DoctorEvent, type DoctorReport } from "./doctor.js";

let fake: FakeConfig;
let report: DoctorReport;
const events: DoctorEvent[] = [];

beforeAll(async () => {
  fake = await writeFakeConfig({ type: "fake", mode: "fine" });
  report = await runDoctor({
    config: fake.file,
    budgetMs: 30,
    on: (event) => events.push(event),
  });
}, 60_000);
afterAll(() => rm(fake.folder, { recursive: true, force: true }));

const engine = (label: string) =>
  report.backends.flatMap(({ engines }) => engines).find((one) => one.label === label);

describe("runDoctor", () => {
  it("measures what is ready, a stranger's engine too", () => {
    expect(engine("fake:fine")).toMatchObject({ status: "ready", isDefault: true });
    const rates = engine("fake:fine")?.rates;
    expect(rates?.description).toBe("fake: fine");
    expect(rates?.rates.map(({ dtype }) => dtype)).toContain("float32");
    // The reference multiplies by plain loops: only the small product fits the budget.
    expect(rates?.rates[0]).toMatchObject({ size: { rows: 128, inner: 192, columns: 384 } });
    expect(rates?.rates[0]?.gflops).toBeGreaterThan(0);
    expect(report.backends.map(({ type, plugin }) => [type, plugin])).toContainEqual([
      "onnx",
      "@diptych/backend-onnx",
    ]);
  });

  it("says what is missing in the backend's words, and does not run it", () => {
    expect(engine("fake:missing")).toMatchObject({
      status: "missing",
      detail: "no abacus here. Bring one: fake setup abacus",
      rates: null,
    });
    expect(events.map(({ what }) => what)).not.toContain("measuring fake:missing");
  });

  it("outlives an engine that ends its process, and shows its last lines", () => {
    expect(engine("fake:aborts")).toMatchObject({ status: "broken" });
    expect(engine("fake:aborts")?.detail).toMatch(/ended by SIGABRT:\n.*a bead fell off/s);
    expect(engine("falls-over")).toMatchObject({ status: "broken" });
    expect(engine("falls-over")?.detail).toMatch(/SIGABRT/);
  });

  it("finds a wrong product", () => {
    expect(engine("fake:wrong")?.status).toBe("broken");
    expect(engine("fake:wrong")?.detail).toMatch(/product: expected its first entry near .*, got/);
  });

  it("tells how to try a backend that needs settings", () => {
    expect(engine("mute")).toMatchObject({ status: "missing" });
    expect(engine("mute")?.detail).toMatch(/backend\.beads: .*--config FILE/s);
  });

  it("is healthy where the default backend works, whatever else does not", () => {
    expect(report.healthy).toBe(true);
    expect(report.defaultBackend).toEqual({ type: "fake", mode: "fine" });
  });

  it("is not where it does not work; a backend of a configuration may do without diagnose", async () => {
    const set = ["backend.mode=missing"];
    const broken = await runDoctor({ config: fake.file, set, measure: false });
    expect(broken.healthy).toBe(false);
    const settings = ['backend={"type":"mute","beads":3}'];
    const mute = await runDoctor({ config: fake.file, set: settings, measure: false });
    expect(mute.healthy).toBe(true);
    const found = mute.backends.find(({ type }) => type === "mute");
    expect(found?.engines).toMatchObject([
      { status: "ready", isDefault: true, part: { type: "mute", beads: 3 } },
    ]);
  }, 30_000);
});
