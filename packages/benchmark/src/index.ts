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
  Reach,
} from "./comparison.js";
export { conclude, type ConclusionFailure, type ConclusionInput } from "./conclude.js";
export {
  ASPECTS,
  whyIncomparable,
  type Aspect,
  type ComparabilityOptions,
  type Difference,
} from "./comparability/why-incomparable.js";
export { methodMeans, type MethodMeansOptions } from "./method-means.js";
export { isLowerBetter } from "./paired-tests.js";
export { summarise, type SummariseOptions, type Summary } from "./summarise.js";
export {
  publishedBaselines,
  type PublishedBaseline,
  type PublishedProtocol,
  type PublishedScore,
  type PublishedSource,
} from "./baselines/published-baselines.js";
export { standBeside, type BesidePublished } from "./baselines/stand-beside.js";
export { codeVersion, type CodeVersionOptions } from "./provenance/code-version.js";
export { provenanceOf, type ProvenanceFacts } from "./provenance/provenance.js";
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
export { readResults } from "./report/read-results.js";
export type { ReportInput } from "./report/report-view.js";
export type { ReportSearch } from "./report/search-index.js";
export type { PictureSource } from "./report/thumbnails.js";
export { writeReport, type ReportOptions, type WrittenReport } from "./report/write-report.js";
export type { SuiteResult } from "./suite-result.js";
export { defineSuite, type SuiteInput, type SuiteTask } from "./suites/define-suite.js";
export { openSuite, type OpenedSuite, type OpenSuiteOptions } from "./suites/open-suite.js";
export {
  runSuite,
  SUITE_FILE,
  type RunSuiteOptions,
  type SuiteEvent,
  type SuiteMeasurement,
  type SuiteOutcome,
} from "./suites/run-suite.js";
export { SHIPPED_SUITES, type ShippedSuite } from "./suites/shipped-suites.js";
export { formatBudget, parseBudget, type StepCost } from "./compare/budget.js";
export {
  openComparison,
  planComparison,
  type ComparedMethod,
  type ComparisonOptions,
  type ComparisonPlan,
  type OpenedComparison,
  type PlannedMethod,
} from "./compare/plan-comparison.js";
export { reportComparison, type ReportComparisonOptions } from "./compare/report-comparison.js";
export {
  runComparison,
  type ComparisonEvent,
  type ComparisonOutcome,
  type RunComparisonOptions,
} from "./compare/run-comparison.js";
export { dataEfficiency, type Efficiency, type EfficiencyTable } from "./compare/efficiency.js";
