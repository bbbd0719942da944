import { describeBackendConformance } from "@diptych/testing";
import { createTfjsBackend } from "./tfjs-backend.js";

describeBackendConformance({
  name: "tfjs, cpu",
  create: () => createTfjsBackend({ engine: "cpu" }),
  large: false,
});
