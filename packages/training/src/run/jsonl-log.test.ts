import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createJsonlLog, readJsonlLog } from "./jsonl-log.js";
import { temporaryFolder } from "./temporary-folder.test-support.js";

const step = (n: number) => ({ event: "step", step: n, loss: n / 10 });

test("appends records at once and makes the folder", async () => {
  const path = join(temporaryFolder(), "run", "log.jsonl");
  const log = createJsonlLog(path, { resumeStep: 0 });
  log.write(step(0));
  expect(readJsonlLog(path)).toEqual([step(0)]);
  log.write({ event: "step", step: 1, loss: NaN, gradNorm: Infinity });
  await log.close();
  await log.close();
  expect(readFileSync(path, "utf8").split("\n")[1]).toBe(
    '{"event":"step","step":1,"loss":"NaN","gradNorm":"Infinity"}',
  );
});

test("a resumed run drops what came after its state, so that the log reads as one run", async () => {
  const path = join(temporaryFolder(), "log.jsonl");
  const first = createJsonlLog(path, { resumeStep: 0 });
  const start = { event: "start", step: 0 };
  const checkpoint = { event: "checkpoint", step: 3, path: "step-000003" };
  const kept = [start, step(0), step(1), step(2), checkpoint];
  for (const record of [...kept, step(3), step(4), { event: "end", step: 5 }]) first.write(record);
  await first.close();
  const second = createJsonlLog(path, { resumeStep: 3 });
  expect(readJsonlLog(path)).toEqual(kept);
  second.write(step(3));
  await second.close();
  expect(readJsonlLog(path)).toEqual([...kept, step(3)]);
});

test("the end of an interrupted run is dropped when it goes on", async () => {
  const path = join(temporaryFolder(), "log.jsonl");
  const first = createJsonlLog(path, { resumeStep: 0 });
  for (const record of [step(0), { event: "end", step: 1 }]) first.write(record);
  await first.close();
  await createJsonlLog(path, { resumeStep: 1 }).close();
  expect(readJsonlLog(path)).toEqual([step(0)]);
});

test("a line cut off by a kill is dropped", async () => {
  const path = join(temporaryFolder(), "log.jsonl");
  const first = createJsonlLog(path, { resumeStep: 0 });
  first.write(step(0));
  await first.close();
  appendFileSync(path, '{"event":"st');
  expect(readJsonlLog(path)).toEqual([step(0)]);
  const second = createJsonlLog(path, { resumeStep: 1 });
  second.write(step(1));
  await second.close();
  expect(readJsonlLog(path)).toEqual([step(0), step(1)]);
});

test("a new run in the folder starts a new log", async () => {
  const path = join(temporaryFolder(), "log.jsonl");
  writeFileSync(path, `${JSON.stringify(step(0))}\n`);
  await createJsonlLog(path, { resumeStep: 0 }).close();
  expect(readJsonlLog(path)).toEqual([]);
});

test("says which file and line cannot be read or written", () => {
  const folder = temporaryFolder();
  expect(() => createJsonlLog(folder, { resumeStep: 0 })).toThrow(/createJsonlLog: .*EISDIR/);
  const path = join(folder, "log.jsonl");
  writeFileSync(path, "no json\n{}\n");
  expect(() => readJsonlLog(path)).toThrow(/JSON record in line 1, got "no json"/);
});
