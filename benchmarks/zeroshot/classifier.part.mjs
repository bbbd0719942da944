// ImageNet's classifier, 1,000 names in 80 templates, by ViT-B/32's text tower with the same weights on both sides, drawn
// from a seed. open_clip would need the best part of an hour for all of it: both build the classes of a share in turns,
// other ones each turn, and ours is then built in full, in a process of its own, for its time and peak memory.
// BENCH_FULL=0 leaves that out.
import { fileURLToPath } from "node:url";
import { prepareModel } from "../inference/models.mjs";
import { measureApart } from "../support/child-process.mjs";
import { benchPython } from "../support/python.mjs";
import { startSide } from "../support/side.mjs";
import { spread } from "../support/statistics.mjs";

const turns = Number(process.env.BENCH_TURNS ?? 5);
/** Of the 1,000, in each turn. */
const share = 5;
const classes = 1000;
const templates = 80;
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

export async function run() {
  const folder = await prepareModel("ViT-B-32");
  const compared = await compare(folder);
  const full =
    process.env.BENCH_FULL === "0"
      ? undefined
      : await measureApart("../zeroshot/classifier.child.mjs", folder);
  const figures = { ...compared, ...(full ? { full } : {}) };
  console.log(summary(figures));
  return figures;
}

/** Both sides in turns; the first turn warms up and shows that they agree. */
async function compare(folder) {
  const python = benchPython();
  const sides = {
    diptych: await startSide(process.execPath, [here("classifier.side.mjs"), folder]),
    ...(python
      ? {
          openClip: await startSide(python, [
            here("classifier.side.py"),
            folder,
            here("../../packages/zeroshot/data/imagenet.json"),
          ]),
        }
      : {}),
  };
  if (!python)
    console.log(
      "classifier: open_clip is left out: `npm run bench:python` installs it for benchmarks.",
    );
  try {
    const milliseconds = Object.fromEntries(Object.keys(sides).map((key) => [key, []]));
    let agreement;
    for (let turn = -1; turn < turns; turn += 1) {
      const request = { classes: turn < 0 ? [0, 1] : classesOf(turn) };
      const answers = {};
      for (const [key, side] of Object.entries(sides)) {
        answers[key] = await side.ask(request);
        if (turn >= 0) milliseconds[key].push(answers[key].ms / (share * templates));
      }
      if (turn < 0 && answers.openClip) agreement = distance(answers.diptych, answers.openClip);
    }
    return {
      sides: Object.fromEntries(Object.entries(sides).map(([key, { ready }]) => [key, ready.name])),
      classesPerTurn: share,
      ofClasses: classes,
      templates,
      agreement,
      msPerPrompt: Object.fromEntries(
        Object.entries(milliseconds).map(([key, times]) => [key, spread(times)]),
      ),
      ...(python
        ? { ratio: spread(milliseconds.openClip.map((ms, i) => ms / milliseconds.diptych[i])) }
        : {}),
    };
  } finally {
    for (const side of Object.values(sides)) await side.close();
  }
}

/** Every two-hundredth class, from another one on each turn: names of all lengths. */
function classesOf(turn) {
  return Array.from({ length: share }, (_, i) => i * (classes / share) + turn);
}

/** Largest difference of the first weights. @throws where it is more than rounding. */
function distance(ours, theirs) {
  const largest = Math.max(...ours.first.map((value, i) => Math.abs(value - theirs.first[i])));
  if (!(largest < 1e-5))
    throw new Error(
      `bench: classifier: expected the same weights, got a difference of ${largest}.`,
    );
  return largest;
}

function summary({ msPerPrompt, ratio, full }) {
  const of = ({ median: middle, min, max }) =>
    `${middle.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
  const theirs = msPerPrompt.openClip;
  return [
    `classifier: ${of(msPerPrompt.diptych)} ms a prompt`,
    ...(theirs
      ? [`open_clip ${of(theirs)} on ${turns * share} of ${classes} classes: ${of(ratio)} times`]
      : []),
    ...(full
      ? [
          `all ${classes * templates} prompts in ${(full.ms / 1000).toFixed(0)} s, peak ${(full.peakBytes / 2 ** 20).toFixed(0)} MiB`,
          ...(theirs
            ? [
                `${(theirs.median / (full.ms / (classes * templates))).toFixed(2)} times open_clip's rate`,
              ]
            : []),
        ]
      : []),
  ].join("; ");
}
