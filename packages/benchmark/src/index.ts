/** Comparing contrastive models: suites, equal budgets, statistics, published baselines, reports. */
export type {
  Budget,
  Comparison,
  CurvePoint,
  Incomparable,
  Interval,
  MethodMean,
  MethodRun,
  PairedTest,
} from "./comparison.js";
export type { BenchmarkRow, DataIdentity, FailedRow, Provenance, TrainingCost } from "./record.js";
export { html, raw, type Html } from "./report/html.js";
export {
  CHART_WIDTHS,
  renderPage,
  responsiveChart,
  seriesColour,
  type Page,
} from "./report/page-frame.js";
export { renderPlot } from "./report/plot.js";
export type { SuiteResult } from "./suite-result.js";
