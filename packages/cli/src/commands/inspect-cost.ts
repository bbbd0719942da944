/** The table of `diptych inspect`: blocks of each tower, sums, and what is published beside them. */
import { formatBytes } from "@diptych/core";
import type { ModelCost } from "diptych";
import { formatTable } from "../table.js";

const count = (n: number): string => n.toLocaleString("en");

function formatFlops(flops: number): string {
  if (flops === 0) return "";
  if (flops >= 1e12) return `${(flops / 1e12).toFixed(2)} T`;
  if (flops >= 1e9) return `${(flops / 1e9).toFixed(2)} G`;
  return `${(flops / 1e6).toFixed(2)} M`;
}

type Cost = Pick<ModelCost, "parameters" | "buffers" | "flops" | "activationBytes">;

function row(name: string, { parameters, buffers, flops, activationBytes }: Cost): string[] {
  return [
    name,
    count(parameters),
    buffers === 0 ? "" : count(buffers),
    formatFlops(flops),
    activationBytes === 0 ? "" : formatBytes(activationBytes),
  ];
}

/** The whole report. */
export function costReport(cost: ModelCost): string {
  const { towers, published, batch, sharedParameters } = cost;
  const hasSums = published !== undefined;
  const rows = towers.flatMap((tower) => [
    ...tower.blocks.map((block) => row(block.name, block)),
    [
      ...row(`${tower.modality} tower`, tower),
      ...(hasSums ? [publishedCell(published, tower.modality)] : []),
    ],
    [""],
  ]);
  const nothing = { buffers: 0, flops: 0, activationBytes: 0 };
  rows.push(row("scale of similarities", { parameters: sharedParameters, ...nothing }));
  rows.push([...row("total", cost), ...(hasSums ? [publishedCell(published, "total")] : [])]);
  const head = ["block", "parameters", "buffers", "FLOPs", "activations"];
  const table = formatTable(hasSums ? [...head, "published"] : head, rows, [1, 2, 3, 4]);
  return [
    `${cost.name}, ${batch === 1 ? "one sample" : `${count(batch)} samples`}`,
    "",
    table,
    "",
    ...notes(cost),
  ].join("\n");
}

function publishedCell(published: NonNullable<ModelCost["published"]>, part: string): string {
  if (part !== "image" && part !== "text" && part !== "total") return "";
  const { megaParameters, gigaFlops } = published[part];
  return `${megaParameters.toFixed(2)} M, ${gigaFlops.toFixed(2)} G`;
}

function notes({ published, batch, flops }: ModelCost): readonly string[] {
  const lines = [
    "FLOPs: matrix products and convolutions of the forward pass, a multiply-add counted as two.",
    "Activations: float32 values of the forward pass that the backward pass reads, kept between the two in training.",
  ];
  if (!published) return lines;
  const { unusedPoolFlops, total } = published;
  const whole = (flops / batch + unusedPoolFlops) / 1e9;
  const distance = `${((whole / total.gigaFlops - 1) * 100).toFixed(2)} %`;
  lines.push("Published: open_clip's model_profile.csv, of one sample.");
  if (unusedPoolFlops > 0) {
    lines.push(
      `Its attention pool computes an answer for every place and keeps one: ${formatFlops(unusedPoolFlops)}FLOPs more.`,
    );
  }
  lines.push(
    `${unusedPoolFlops > 0 ? "With them: " : "Here: "}${whole.toFixed(2)} GFLOPs, ${distance} from the published ${total.gigaFlops.toFixed(2)}.`,
  );
  return lines;
}
