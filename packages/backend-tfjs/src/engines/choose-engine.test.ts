import { BackendError } from "@diptych/core";
import { expect, test, vi } from "vitest";
import { chooseEngine } from "./choose-engine.js";
import type { Engine, EngineName } from "./engine.js";

function engine(name: EngineName, slow = false, dispose = vi.fn()): Engine {
  const device = { dispose } as unknown as Engine["device"];
  return { name, slow, device, description: `${name} 1.0`, capabilities: {} as never };
}

/** Opens what is listed; everything else is missing. */
function openAmong(present: readonly Engine[]): (name: EngineName) => Promise<Engine> {
  return (name) => {
    const found = present.find((candidate) => candidate.name === name);
    return found
      ? Promise.resolve(found)
      : Promise.reject(new BackendError(`${name} is not installed`));
  };
}

test("auto takes the fastest present and says in one line why not a faster one", async () => {
  const lines: string[] = [];
  const options = { log: (line: string) => lines.push(line) };
  const open = openAmong([engine("cpu"), engine("wasm")]);
  expect((await chooseEngine(options, open)).name).toBe("wasm");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^backend-tfjs: engine wasm: wasm 1\.0; faster ones are not present: node-gpu \(.*node \(.*webgpu \(webgpu is not installed\)$/,
  );
});

test("auto passes a software renderer over, and gives it back", async () => {
  const dispose = vi.fn();
  const renderer = engine("webgpu", true, dispose);
  const open = openAmong([renderer, engine("wasm"), engine("cpu", true)]);
  expect((await chooseEngine({ log: () => undefined }, open)).name).toBe("wasm");
  expect(dispose).toHaveBeenCalledOnce();
});

test("plain JavaScript is better than nothing", async () => {
  const open = openAmong([engine("cpu", true)]);
  expect((await chooseEngine({ log: () => undefined }, open)).name).toBe("cpu");
});

test("an engine that is named is taken, slow or not, without a word", async () => {
  const log = vi.fn();
  const open = openAmong([engine("webgpu", true)]);
  expect((await chooseEngine({ engine: "webgpu", log }, open)).name).toBe("webgpu");
  expect(log).not.toHaveBeenCalled();
  await expect(chooseEngine({ engine: "node", log }, open)).rejects.toThrow("not installed");
});

test("where none starts, every reason is given", async () => {
  await expect(chooseEngine({ log: () => undefined }, openAmong([]))).rejects.toThrow(
    /got none: node-gpu \(.*cpu \(cpu is not installed\)/,
  );
});
