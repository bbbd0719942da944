// One side of the comparison: a process that loads a model once and then does what it is asked, line by line, so that the
// sides can take turns.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Starts a side. `ask(request)` gives its answer; `close` ends it. */
export async function startSide(command, args, env = {}) {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, "close");
  const next = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) {
        const [code] = await ended;
        throw new Error(`bench: ${args[0]}: expected an answer, got exit code ${code}.`);
      }
      if (value.startsWith("answer ")) return JSON.parse(value.slice(7));
    }
  };
  const ready = await next();
  return {
    ready,
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return next();
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The other end: answers each request on standard input by `work(request)`. */
export async function serve(ready, work) {
  const answer = (value) => process.stdout.write(`answer ${JSON.stringify(value)}\n`);
  answer(ready);
  for await (const line of createInterface({ input: process.stdin })) {
    answer(await work(JSON.parse(line)));
  }
}
