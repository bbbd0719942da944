/** How long a step of each method takes on this machine: what a budget of seconds is turned into steps by. */
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  measureStepSeconds,
  writeJsonAtomically,
  type OpenedConfig,
  type WatchOptions,
} from "diptych";

const FILE = "step-seconds.json";
/** Times that each method is timed. */
const TURNS = 3;

/** What is timed: by name, for errors and progress, and its configuration. */
export interface TimedMethod {
  readonly method: string;
  readonly opened: OpenedConfig;
}

/** @returns seconds of a step of each method, in their order. */
export type StepTimer = (
  methods: readonly TimedMethod[],
  seconds: number,
  watch: WatchOptions,
) => Promise<readonly number[]>;

/** Mean over three turns of all methods, so that a machine that slows down slows all alike. */
export const timeInTurns: StepTimer = async (methods, seconds, { on, signal }) => {
  const times = methods.map(() => 0);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, { method, opened }] of methods.entries()) {
      on?.({ event: "prepare", what: `timing ${method}`, done: turn, total: TURNS });
      const options = { seconds: seconds / TURNS, signal };
      times[i]! += (await measureStepSeconds(opened, options)) / TURNS;
      on?.({ event: "prepare", what: `timing ${method}`, done: turn + 1, total: TURNS });
    }
  }
  return times;
};

interface Kept {
  readonly asked: unknown;
  readonly seconds: number;
}

/**
 * Times that are kept in the folder of a comparison, so that the same call goes on with the steps that it began with; only
 * what is not there is timed, by `timer`.
 */
export function keptIn(folder: string, timer: StepTimer = timeInTurns): StepTimer {
  const path = join(folder, FILE);
  return async (methods, seconds, watch) => {
    const kept = existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as Kept[]) : [];
    const wanted = methods.map((method) => ({ method, asked: askedOf(method.opened, seconds) }));
    const find = (asked: unknown): Kept | undefined =>
      kept.find((one) => isDeepStrictEqual(one.asked, asked));
    const missing = wanted.filter(({ asked }) => !find(asked));
    if (missing.length > 0) {
      const timed = await timer(
        missing.map(({ method }) => method),
        seconds,
        watch,
      );
      missing.forEach(({ asked }, i) => kept.push({ asked, seconds: timed[i]! }));
      await mkdir(folder, { recursive: true });
      await writeJsonAtomically(path, kept);
    }
    return wanted.map(({ asked }) => find(asked)!.seconds);
  };
}

/** As JSON would give it back. */
function askedOf({ config }: OpenedConfig, seconds: number): unknown {
  return JSON.parse(JSON.stringify({ seconds, config: config.plain })) as unknown;
}
