import {
  DataError,
  type Dataset,
  type Sample,
  type SizedDataset,
  type StreamingDataset,
} from "@diptych/core";
import { describe, it } from "vitest";
import { expectFaultsFound } from "../failing-checks.test-support.js";
import { datasetChecks, describeDatasetContract } from "./dataset.js";

const image = { width: 2, height: 1, channels: 3, data: new Uint8Array(6) } as const;

const sized: SizedDataset = {
  kind: "sized",
  name: "dots",
  size: 5,
  sample: async (index, { random, images = 1, captions = 1 }) => {
    if (!Number.isInteger(index) || index < 0 || index >= 5)
      throw new DataError(`dots: index: expected 0 to 4, got ${index}.`);
    const caption = `dot ${index} ${random.integer(2)}`;
    return {
      id: `dot/${index}`,
      concept: `c${index % 2}`,
      images: Array.from({ length: images }, () => image),
      captions: Array.from({ length: captions }, () => caption),
    };
  },
  conceptOf: (index) => `c${index % 2}`,
  captions: () => [0, 1, 2, 3, 4].flatMap((i) => [`dot ${i} 0`, `dot ${i} 1`]),
  fingerprint: async () => ({ hash: "0123456789abcdef", note: "the number of dots" }),
};

const streaming: StreamingDataset = {
  kind: "streaming",
  name: "drops",
  stream: async function* ({ random, position }) {
    const order = random.split("order").permutation(8);
    for (const i of order.subarray(position))
      yield { id: `drop/${i}`, images: [image], captions: [] };
  },
};

describeDatasetContract({ name: "sized", create: () => sized });
describeDatasetContract({ name: "streaming", create: async () => streaming });

describe("the suite", () => {
  const broken = (change: Partial<SizedDataset>) => ({
    name: "broken",
    create: (): Dataset => ({ ...sized, ...change }),
  });
  const sampling = (change: (sample: Sample, index: number) => Sample) =>
    broken({ sample: async (index, request) => change(await sized.sample(index, request), index) });
  const flowing = (change: Partial<StreamingDataset>) => ({
    name: "broken",
    create: (): Dataset => ({ ...streaming, ...change }),
  });

  it("finds every fault", async () => {
    let readings = 0;
    let disposals = 0;
    await expectFaultsFound(datasetChecks, [
      [
        "too few pixels",
        sampling((sample) => ({ ...sample, images: [{ ...image, width: 3 }] })),
        /valid samples/,
      ],
      ["an empty id", sampling((sample) => ({ ...sample, id: "" })), /valid samples/],
      ["one id for all", sampling((sample) => ({ ...sample, id: "dot" })), /distinct ids/],
      ["another concept than it says", broken({ conceptOf: () => "c9" }), /concept/],
      [
        "chance of its own",
        sampling((sample) => ({ ...sample, captions: [`dot 0 ${readings++}`] })),
        /same request/,
      ],
      [
        "one picture whatever is asked",
        sampling((sample) => ({ ...sample, images: [image] })),
        /as many/,
      ],
      [
        "no range check",
        broken({
          sample: (index, request) => sized.sample(Math.abs(Math.trunc(index || 0)) % 5, request),
        }),
        /outside/,
      ],
      [
        "a fingerprint of chance",
        broken({ fingerprint: async () => ({ hash: `0123456789${readings++}`, note: "dots" }) }),
        /fingerprint/,
      ],
      [
        "a fingerprint of nothing",
        broken({ fingerprint: async () => ({ hash: "0123456789abcdef", note: "" }) }),
        /fingerprint/,
      ],
      ["a caption that is not listed", broken({ captions: () => ["dot"] }), /every word/],
      [
        "a stream of nothing",
        flowing({
          stream: async function* () {
            yield* [];
          },
        }),
        /streaming: gives valid samples/,
      ],
      [
        "a stream of chance",
        flowing({
          stream: async function* () {
            yield { id: `${readings++}`, images: [image], captions: [] };
          },
        }),
        /decide the order/,
      ],
      [
        "a stream that starts over",
        flowing({ stream: (request) => streaming.stream({ ...request, position: 0 }) }),
        /from a position/,
      ],
      [
        "a second disposal that fails",
        broken({
          dispose: async () => {
            if (disposals++ % 2 === 1) throw new Error("gone");
          },
        }),
        /disposed twice/,
      ],
      [
        "another kind",
        { name: "broken", create: () => ({ ...sized, kind: "other" }) as unknown as Dataset },
        /sized or streaming/,
      ],
    ]);
  });
});
