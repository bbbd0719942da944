// Retrieval of 100,000 × 100,000 at 512 numbers, both ways, exact: its products a second as a share of the rate at which the
// same backend multiplies [4096, 512] by [512, 4096]. A share of the rows in turns with that product, then all rows once, in a
// process of its own for its peak memory. BENCH_FULL=0 leaves the latter out.
import { measureApart } from "../support/child-process.mjs";

const turns = Number(process.env.BENCH_TURNS ?? 5);

export async function run() {
  const figures = await measureApart(
    "../zeroshot/retrieval.child.mjs",
    String(turns),
    process.env.BENCH_FULL === "0" ? "part" : "full",
  );
  const { shareOfMatmulRate: share, full } = figures;
  const part = `retrieval: ${percent(share.median)} of the matmul rate (${percent(share.min)}–${percent(share.max)})`;
  const all = full
    ? `; all of it in ${(full.ms / 1000).toFixed(0)} s, ${percent(full.shareOfMatmulRate)}, peak ${(full.peakBytes / 2 ** 20).toFixed(0)} MiB, ${(full.givenBytes / 2 ** 20).toFixed(0)} of it features`
    : "";
  console.log(part + all);
  return figures;
}

function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}
