/** Which caption belongs to which picture of a batch, where each sample brings several of either. */
import {
  add,
  argmax,
  cast,
  checkShapes,
  equal,
  iota,
  less,
  mul,
  reduceMax,
  reshape,
  sum,
  type Dim,
  type Value,
} from "@diptych/core";

export interface Partners {
  /** int32 [rows]: the row of the other modality that belongs to each. */
  readonly index: Value;
  /** float32 [rows]: 1, or 0 for a row without a partner. */
  readonly present: Value;
}

/**
 * The m-th row of a sample goes with the sample's m-th row of the other modality, or its first where there are fewer.
 *
 * @param rowItem int32 [rows]; `columnItem` int32 [columns]: equal numbers come from one sample.
 */
export function buildPartners(rowItem: Value, columnItem: Value): Partners {
  const { rows, columns } = checkShapes(
    "losses/buildPartners",
    [rowItem, "rowItem", ["rows"]],
    [columnItem, "columnItem", ["columns"]],
  );
  const asRows = (value: Value): Value => reshape(value, [rows, 1]);
  const asColumns = (value: Value): Value => reshape(value, [1, columns]);
  const same = cast(equal(asRows(rowItem), asColumns(columnItem)), "float32");
  const sameRank = equal(
    asRows(rankInSample(rowItem, rows)),
    asColumns(rankInSample(columnItem, columns)),
  );
  const fit = mul(same, add(cast(sameRank, "float32"), 1));
  return { index: argmax(fit, 1), present: reduceMax(same, { axes: [1] }) };
}

/** float32 [rows]: how many rows of the same sample come before. */
function rankInSample(item: Value, rows: Dim): Value {
  const position = iota(rows);
  const before = less(reshape(position, [1, rows]), reshape(position, [rows, 1]));
  const same = equal(reshape(item, [rows, 1]), reshape(item, [1, rows]));
  return sum(mul(cast(before, "float32"), cast(same, "float32")), { axes: [1] });
}
