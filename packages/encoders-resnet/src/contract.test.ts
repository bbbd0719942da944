import { describeEncoderContract } from "@diptych/testing";
import { createCompactResNet } from "./compact-resnet-encoder.js";

describeEncoderContract({
  name: "compact-resnet",
  create: () =>
    createCompactResNet({ imageSize: 8, stemWidth: 4, widths: [4, 6] }, { embedDim: 5 }),
});
