/** Going on with a run: the tokenizer that it began with, and the state of its newest checkpoint. */
import { TrainingError, type ResolvedConfig, type TokenizerState } from "@diptych/core";
import type { Checkpointer, Trainer } from "@diptych/training";
import { describeSwitch } from "./backend-switch.js";
import type { RunListener } from "./run-events.js";
import { checkTeachers } from "./teachers/check-teachers.js";
import type { TeacherFacts } from "./teachers/open-teachers.js";

/** The tokenizer that the run began with. @throws TrainingError where a run is there and `resume` is not set. */
export async function savedTokenizer(
  checkpointer: Checkpointer,
  { out, resume }: { readonly out: string; readonly resume: boolean },
): Promise<TokenizerState | undefined> {
  const [newest] = await checkpointer.steps();
  if (newest === undefined) return undefined;
  if (!resume) {
    throw new TrainingError(
      `diptych/train: ${out}: expected a new folder, got one with a run of ${newest} steps. Add --resume to go on with it, or choose another --out.`,
    );
  }
  const reader = await checkpointer.openLatest();
  if (!reader) return undefined;
  try {
    return reader.metadata["tokenizer"] as TokenizerState | undefined;
  } finally {
    await reader.close();
  }
}

export interface ResumeContext {
  readonly config: ResolvedConfig;
  /** Those of this run. */
  readonly teachers: readonly TeacherFacts[];
  readonly on: RunListener;
}

/**
 * Brings the trainer to the newest checkpoint, and says what is otherwise than it was.
 *
 * @throws TrainingError where a teacher has other weights than the run began with.
 */
export async function resumeRun(
  checkpointer: Checkpointer,
  trainer: Trainer,
  { config, teachers, on }: ResumeContext,
): Promise<void> {
  const found = await checkpointer.latest(trainer.trainStep);
  if (!found) {
    on({
      event: "message",
      text: "There is no checkpoint to resume from: training begins at step 0.",
    });
    return;
  }
  checkTeachers(found.state.metadata["teachers"], teachers);
  await trainer.loadState(found.state);
  const { precision } = found.state.metadata;
  if (precision !== trainer.trainStep.precision) {
    on({
      event: "message",
      text: `The checkpoint was made in ${precision}; training goes on in ${trainer.trainStep.precision}.`,
    });
  }
  on({ event: "message", text: `Going on from step ${trainer.step} (${found.path}).` });
  const text = describeSwitch(found.state.metadata["config"], config.plain);
  if (text !== undefined) on({ event: "message", text });
}
