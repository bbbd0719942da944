import { expect, it } from "vitest";
import { Run } from "./container.js";
import { createToken } from "./tokens.js";

const first = createToken<{ dispose(): void }>("first");
const second = createToken<{ n: number; dispose(): Promise<void> }>("second");

it("awaits factories, hands out values, and disposes in reverse order of creation", async () => {
  const order: string[] = [];
  const run = new Run();
  await run.create(first, () => ({ dispose: () => order.push("first") }));
  await run.create(second, async () => {
    await Promise.resolve();
    return {
      n: 2,
      dispose: async () => {
        await Promise.resolve();
        order.push("second");
      },
    };
  });
  expect(run.get(second).n).toBe(2);
  await run.dispose();
  await run.dispose();
  expect(order).toEqual(["second", "first"]);
});

it("keeps runs apart and goes on disposing after a failure", async () => {
  const order: string[] = [];
  const one = new Run();
  const other = new Run();
  await one.create(first, () => ({ dispose: () => order.push("first") }));
  await one.create(second, () => ({ n: 1, dispose: () => Promise.reject(new Error("stuck")) }));
  expect(other.has(first)).toBe(false);
  expect(() => other.get(first)).toThrow(/before it was created/);
  await expect(one.dispose()).rejects.toThrow("dispose failed");
  expect(order).toEqual(["first"]);
});
