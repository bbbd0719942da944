/**
 * One piece of work at a time in the whole process: TensorFlow.js has one engine, whatever copies of it are loaded, and
 * what is created belongs to the one that is active.
 */
import type { Engine } from "../engines/engine.js";

const TURNS = Symbol.for("diptych.tfjs.turns");

interface Turns {
  last: Promise<unknown>;
  active: unknown;
}

/** Shared by all copies of this package. */
function turns(): Turns {
  const shared = globalThis as { [TURNS]?: Turns };
  return (shared[TURNS] ??= { last: Promise.resolve(), active: undefined });
}

/** Runs `work` on `engine` after everything that was asked for before; one that fails does not stop the others. */
export function takeTurn<T>(engine: Engine, work: () => T | Promise<T>): Promise<T> {
  const shared = turns();
  const turn = shared.last.then(async () => {
    if (shared.active !== engine) {
      shared.active = undefined;
      await engine.activate();
      shared.active = engine;
    }
    return work();
  });
  shared.last = turn.catch(() => undefined);
  return turn;
}
