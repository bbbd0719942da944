import { describeEncoderContract } from "@diptych/testing";
import { createCompactResNet } from "./compact-resnet-encoder.js";
import { createModifiedResNet } from "./modified-resnet-encoder.js";

describeEncoderContract({
  name: "compact-resnet",
  create: () =>
    createCompactResNet({ imageSize: 8, stemWidth: 4, widths: [4, 6] }, { embedDim: 5 }),
});
for (const norms of ["batch", "frozenStatistics", "frozen"] as const) {
  describeEncoderContract({
    name: `modified-resnet, ${norms} norms`,
    create: () =>
      createModifiedResNet(
        { imageSize: 32, width: 2, layers: [1, 1, 1, 1], heads: 4, norms },
        { embedDim: 5 },
      ),
  });
}
