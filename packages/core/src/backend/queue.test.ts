import { expect, it } from "vitest";
import { createQueue } from "./queue.js";

it("runs one after the other, and goes on after a failure, which its caller has", async () => {
  const queue = createQueue();
  const told: string[] = [];
  const work =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      told.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      told.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const [first, second, third] = [queue(work("a")), queue(work("b", true)), queue(work("c"))];
  await expect(second).rejects.toThrow("b");
  expect([await first, await third]).toEqual(["a", "c"]);
  expect(told).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});
