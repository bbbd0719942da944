/** What a method of relevance computes in a graph and how its map is read from the results. */
import type { HostTensor } from "@diptych/core";
import type { GraphPlan } from "./graph-cache.js";
import type { Grid } from "./inspected-tower.js";

export interface PlaceRelevance {
  /** The inner value that it was read from. */
  readonly path: string;
  readonly grid: Grid;
  /** [gridHeight·gridWidth], row by row. */
  readonly places: Float64Array;
}

/** Its outputs hold `score` [batch]. */
export interface RelevancePlan extends GraphPlan {
  /** Of row `row` of the batch; undefined where the score depends on none of the values that were asked for. */
  read(results: Readonly<Record<string, HostTensor>>, row: number): PlaceRelevance | undefined;
}
