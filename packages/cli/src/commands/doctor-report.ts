/** The doctor's findings as text: facts of the machine, then a row for each engine. */
import { formatBytes } from "@diptych/core";
import {
  partText,
  type DoctorReport,
  type EngineReport,
  type FloatType,
  type GpuFacts,
  type NativeFacts,
  type ProductSize,
} from "diptych";
import { createColours, type Colours } from "../colours.js";
import { formatTable, wrapText } from "../table.js";

/** @param width Columns of the terminal; undefined where there is none. */
export function doctorReport(
  report: DoctorReport,
  width?: number,
  colours: Colours = createColours(),
): string {
  const { versions, machine, backends, defaultBackend, healthy } = report;
  const engines = backends.flatMap((backend) => backend.engines);
  const lines = [
    colours.strong(
      `Diptych ${versions.diptych} · Node ${versions.node} · ${machine.platform}, ${machine.release}`,
    ),
    "",
    factLines(report, width ?? Infinity),
    "",
    engineTable(engines, width, colours),
    "",
    ...notes(engines, defaultBackend.type),
  ];
  if (!healthy) {
    const text = `The default backend, ${partText(defaultBackend)}, does not work: no training and no embedding without another one.`;
    lines.push(colours.bad(text));
  }
  return lines.join("\n");
}

function factLines({ machine, native, gpus }: DoctorReport, width: number): string {
  const { cores, threads, usableThreads, memory } = machine;
  const usable = usableThreads < threads ? `, ${usableThreads} usable` : "";
  const limit = memory.limitBytes === null ? "" : `, limited to ${formatBytes(memory.limitBytes)}`;
  const counted = cores === null ? "" : `${count(cores, "core")}, `;
  const facts: readonly (readonly [string, readonly string[]])[] = [
    [
      "Processor",
      [
        `${machine.cpu}: ${counted}${count(threads, "thread")}${usable}`,
        machine.instructions.join(", "),
      ],
    ],
    [
      "Memory",
      [`${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free${limit}`],
    ],
    ["Graphics", graphicsLines(gpus)],
    ["Native", nativeLines(native)],
  ];
  const label = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts
    .flatMap(([name, texts]) =>
      texts
        .filter((text) => text !== "")
        .flatMap((text) => wrapText(text, width - label))
        .map((text, i) => `${(i === 0 ? name : "").padEnd(label)}${text}`),
    )
    .join("\n");
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

function graphicsLines({ cards, libraries, vulkanDrivers, metal }: GpuFacts): readonly string[] {
  const lines = [
    ...cards.map(({ name, driver, memory }) => `${name}, ${memory}, driver ${driver}`),
    ...(metal ? ["Metal"] : []),
    ...(vulkanDrivers.length > 0 ? [`Vulkan: ${vulkanDrivers.join(", ")}`] : []),
    ...(libraries.length > 0 ? [`libraries: ${libraries.join(", ")}`] : []),
  ];
  if (vulkanDrivers.length > 0 && !libraries.includes("libvulkan.so.1")) {
    lines.push("Vulkan’s loader, libvulkan.so.1, is missing: install it (Debian: libvulkan1)");
  }
  return lines.length > 0 ? lines : ["no card, no driver of Vulkan and no library of CUDA found"];
}

function nativeLines({ folder, setups }: NativeFacts): readonly string[] {
  if (setups.length === 0) return [`${folder}: empty`];
  return [
    folder,
    ...setups.map(({ name, kind, detail, bytes }) =>
      kind === null
        ? `  ${name}, ${formatBytes(bytes)}: not whole, not used`
        : `  ${name}, ${formatBytes(bytes)}: ${detail ?? kind}`,
    ),
  ];
}

const TYPES: readonly (readonly [FloatType, string])[] = [
  ["float32", "fp32"],
  ["bfloat16", "bf16"],
  ["float16", "fp16"],
];

function engineTable(
  engines: readonly EngineReport[],
  width: number | undefined,
  colours: Colours,
): string {
  const paint = {
    ready: colours.good,
    missing: colours.soft,
    broken: colours.bad,
  };
  return formatTable(
    ["backend", "status", ...TYPES.map(([, name]) => name), "start", "what was found"],
    engines.map((engine) => [
      `${engine.label}${engine.isDefault ? " *" : ""}`,
      paint[engine.status](engine.status),
      ...TYPES.map(([dtype]) => rateText(engine, dtype)),
      engine.rates ? `${engine.rates.startSeconds.toFixed(1)} s` : "",
      detailText(engine),
    ]),
    [2, 3, 4, 5],
    { width },
  );
}

function rateText({ rates }: EngineReport, dtype: FloatType): string {
  if (!rates) return "";
  const found = rates.rates.find((rate) => rate.dtype === dtype);
  if (found) return `${rateNumber(found.gflops)}${isFull(found.size) ? "" : "†"}`;
  if (rates.failures.some((failure) => failure.dtype === dtype)) return "fails";
  return rates.emulated.includes(dtype) ? "emulated" : "–";
}

function rateNumber(gflops: number): string {
  if (gflops >= 9_999.5) return `${Math.round(gflops / 100) * 100}`;
  return gflops >= 99.5 ? gflops.toFixed(0) : gflops.toPrecision(2);
}

function detailText({ detail, rates }: EngineReport): string {
  const failures = rates?.failures.map(({ dtype, reason }) => `${dtype}: ${reason}`) ?? [];
  return [detail, ...failures].join("\n");
}

function isFull({ rows }: ProductSize): boolean {
  return rows === 1024;
}

function notes(engines: readonly EngineReport[], type: string): readonly string[] {
  const measured = engines.flatMap(({ rates }) => rates?.rates ?? []);
  const small = measured.find(({ size }) => !isFull(size));
  const lines = measured.length > 0 ? ["Rates in GFLOP/s, of a product of matrices."] : [];
  if (small) {
    const { rows, inner, columns } = small.size;
    lines.push(
      `† Of [${rows}, ${inner}] by [${inner}, ${columns}], where more would take too long.`,
    );
  }
  lines.push(
    engines.some(({ isDefault }) => isDefault)
      ? "* What runs use here."
      : `Runs use ${type}, which chooses an engine by itself.`,
  );
  return lines;
}
