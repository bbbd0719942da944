// The contracts of an encoder and of a loss, on core's float64 reference: shapes, derivatives, extremes, order of samples.
import { createPart, describeEncoderContract, describeLossContract } from "@diptych/testing";
import { outsideHinge, outsideMixer, outsidePlugin } from "./index.js";

const tiny = outsideMixer({ imageSize: 16, width: 4, layers: 2 });

describeEncoderContract({
  name: "outside-mixer",
  create: () => createPart(outsidePlugin, "encoder", tiny),
});
describeLossContract({
  name: "outside-hinge",
  create: () => createPart(outsidePlugin, "loss", outsideHinge({ margin: 0.3 })),
});
