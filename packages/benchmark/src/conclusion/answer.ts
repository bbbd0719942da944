/** The answer of a comparison in a sentence, and one sentence for each of its tests. */
import type { ConclusionInput } from "../conclude.js";
import type { Interval, PairedTest } from "../comparison.js";
import { listText, pText, seedsText, signedText } from "./words.js";

/** The first sentence. */
export function answerOf(input: ConclusionInput): string {
  const { tests, methods, baseline, incomparable, means } = input;
  const [only] = tests;
  if (only && tests.length === 1) return testSentence(only, input);
  if (only) return overview(input);
  if (methods.length < 2) return `Nothing was compared: ${baseline} ran alone.`;
  if (means.length === 0) return "Nothing was compared: no method has a result.";
  return incomparable.length > 0
    ? `Nothing may be concluded: what was measured may not be compared with ${baseline}.`
    : `Nothing may be concluded: no method has a result beside one of ${baseline}.`;
}

function overview({ tests, baseline }: ConclusionInput): string {
  const methods = [...new Set(tests.map(({ method }) => method))];
  const clauses = methods.map((method) => {
    const tasks = (wanted: PairedTest["verdict"]): string =>
      listText(
        tests.flatMap((test) =>
          test.method === method && test.verdict === wanted ? [test.task] : [],
        ),
      );
    const [better, worse, undecided] = [tasks("better"), tasks("worse"), tasks("undecided")];
    const parts = [
      ...(better ? [`better on ${better}`] : []),
      ...(worse ? [`worse on ${worse}`] : []),
      ...(undecided ? [`not told apart on ${undecided}`] : []),
    ];
    return `${method} is ${listText(parts)}`;
  });
  return `Compared with ${baseline}, ${listText(clauses)}.`;
}

/** What one test says. */
export function testSentence(test: PairedTest, input: ConclusionInput): string {
  const { method, baseline, task, metric, verdict, difference } = test;
  const scale = scaleOf(test, input);
  const size = `${scale.size(Math.abs(difference))}${scale.unit}`;
  if (verdict !== "undecided") {
    const one = test.interval?.over === "items" ? ["this model of ", "that of "] : ["", ""];
    return `On ${task}, ${one[0]}${method} is ${size} ${verdict} than ${one[1]}${baseline} (${evidence(test, input)}).`;
  }
  const [lead, why] = [
    `On ${task}, ${method} and ${baseline} cannot be told apart`,
    doubt(test, input),
  ];
  return `${lead}: ${method} minus ${baseline} is ${scale.signed(difference)}${scale.unit} in ${metric} (${evidence(test, input)})${why}.`;
}

/** What else is known where a test does not decide. */
function doubt(test: PairedTest, { level = 0.95 }: ConclusionInput): string {
  const { p, pCorrected, pItems, pSeeds, seeds } = test;
  const alpha = 1 - level;
  if (p === null || p === undefined) return "; one seed without outcomes by item has no test";
  if (p < alpha && pCorrected !== null)
    return `; alone it would count (${pText(p)}), among this many tests it does not`;
  if (pItems !== null && pItems < alpha && pSeeds !== null)
    return `; these trained models do differ on the test items (${pText(pItems)}), but ${seedsText(seeds?.length ?? 0)} do not show that others would`;
  return "";
}

/** "top1, 95 % interval 0.4 to 3.2, 5 seeds, p = 0.01 after correction for 3 tests". */
function evidence(test: PairedTest, input: ConclusionInput): string {
  const { metric, interval, seeds, pCorrected } = test;
  const count = seeds?.length ?? input.seeds.length;
  const tested = input.tests.filter(({ pCorrected: p }) => p !== null).length;
  const p = pCorrected === null ? "no test" : pText(pCorrected);
  return [
    ...(test.verdict === "undecided" ? [] : [metric]),
    ...(interval ? [intervalText(interval, scaleOf(test, input))] : ["no interval"]),
    seedsText(count),
    tested > 1 && pCorrected !== null ? `${p} after correction for ${tested} tests` : p,
  ].join("; ");
}

function intervalText({ low, high, level, over }: Interval, scale: Scale): string {
  const percent = Number((level * 100).toFixed(2));
  const reach = over === undefined || over === "seeds and items" ? "" : ` over ${over} alone`;
  return `${percent} % interval${reach} ${scale.signed(low)} to ${scale.signed(high)}`;
}

interface Scale {
  readonly size: (value: number) => string;
  readonly signed: (value: number) => string;
  readonly unit: string;
}

/** Shares in points of a hundred; other metrics as they are. */
function scaleOf({ task, metric }: PairedTest, { means }: ConclusionInput): Scale {
  const values = means.flatMap((mean) =>
    mean.task === task && mean.metric === metric ? [mean.mean] : [],
  );
  const shares = values.every((value) => value >= 0 && value <= 1);
  const [factor, digits] = shares ? [100, 1] : [1, 3];
  return {
    size: (value) => (value * factor).toFixed(digits),
    signed: (value) => signedText(value * factor, digits),
    unit: shares ? " points" : "",
  };
}
