/** The report's numbers as CSV, in long form: one line a metric of a row, and one a value of a curve. */
import { stringify } from "csv-stringify/sync";
import type { BenchmarkRow } from "../record.js";
import type { ReportView } from "./report-view.js";

/** A line for each metric of each row with what the row depends on; `group` is `label=value` or empty. */
export function resultsCsv({ runs }: ReportView): string {
  const lines = runs.flatMap(({ rows }) =>
    rows.flatMap((row) => metricsOf(row).map((metric) => ({ ...rowFacts(row), ...metric }))),
  );
  return stringify(lines, { header: true, columns: RESULT_COLUMNS });
}

const RESULT_COLUMNS = [
  ..."method seed task evaluator main group metric value queries candidates".split(" "),
  ..."diptych node commit dirty backend precision weights trainData testData preprocessing".split(
    " ",
  ),
  ..."steps samples flops seconds batchSize parameters date".split(" "),
];

function metricsOf({ evaluation, mainMetric }: BenchmarkRow): readonly object[] {
  const all = Object.entries(evaluation.metrics).map(([metric, numbers]) => ({
    metric,
    main: metric === mainMetric,
    group: "",
    ...numbers,
  }));
  const groups = Object.entries(evaluation.groups ?? {}).flatMap(([label, values]) =>
    Object.entries(values).flatMap(([value, metrics]) =>
      Object.entries(metrics).map(([metric, numbers]) => ({
        metric,
        main: false,
        group: `${label}=${value}`,
        ...numbers,
      })),
    ),
  );
  return [...all, ...groups].map((line) => ({ ...line, main: String(line.main) }));
}

function rowFacts({ method, task, evaluator, provenance }: BenchmarkRow): object {
  const { code, weights, backend, precision, seed, training, date } = provenance;
  return {
    method,
    task,
    evaluator,
    seed,
    ...code,
    dirty: code.dirty === null ? "" : String(code.dirty),
    backend,
    precision,
    weights,
    trainData: provenance.trainData?.fingerprint ?? "",
    testData: provenance.testData.fingerprint ?? "",
    preprocessing: JSON.stringify(provenance.preprocessing),
    ...training,
    date,
  };
}

/** Empty where nothing was measured along the runs. */
export function curvesCsv({ runs }: ReportView): string {
  const lines = runs.flatMap(({ method, seed, curve }) =>
    curve.flatMap(({ step, samples, flops, seconds, values }) =>
      Object.entries(values).map(([name, value]) => ({
        method,
        seed,
        step,
        samples,
        flops,
        seconds,
        name,
        value,
      })),
    ),
  );
  if (lines.length === 0) return "";
  return stringify(lines, { header: true });
}
