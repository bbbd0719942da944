// The golden training runs on the reference backend: what the step means, with state rounded to float32 between steps.
import { createReferenceBackend } from "@diptych/core/reference";
import { describeTrainingGoldens } from "./training.golden.test-support.js";

describeTrainingGoldens("the reference backend", createReferenceBackend);
