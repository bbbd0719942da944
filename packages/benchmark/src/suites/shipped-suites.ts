/** Suites by name: the emoji that training never saw, and ImageNet in a folder of the user's own. */
import { emoji, imageFolder, retrieval, zeroshotClassification } from "diptych";
import { defineSuite, type SuiteInput } from "./define-suite.js";

export interface ShippedSuite {
  readonly summary: string;
  /** Tasks whose folder must be given. */
  readonly needs: readonly string[];
  readonly suite: SuiteInput;
}

export const SHIPPED_SUITES: Readonly<Record<string, ShippedSuite>> = Object.freeze({
  emoji: {
    summary: "naming and finding emoji in a style, and of concepts, that training held out",
    needs: [],
    suite: defineSuite({
      name: "emoji",
      tasks: [
        {
          name: "new style",
          evaluator: zeroshotClassification({ label: "name", templates: ["{}"] }),
          dataset: emoji({ split: "final", part: "heldOutStyle" }),
        },
        {
          name: "new concepts",
          evaluator: zeroshotClassification({ label: "name", templates: ["{}"] }),
          dataset: emoji({ split: "final", part: "heldOutConcepts" }),
        },
        {
          name: "finding in a new style",
          evaluator: retrieval({ positives: "concept" }),
          dataset: emoji({ split: "final", part: "heldOutStyle" }),
        },
      ],
    }),
  },
  imagenet: {
    summary:
      "ImageNet's 1,000 classes with the 80 templates; --data imagenet=FOLDER, one folder a class",
    needs: ["imagenet"],
    suite: defineSuite({
      name: "imagenet",
      tasks: [
        {
          name: "imagenet",
          evaluator: zeroshotClassification({
            templates: "imagenet-80",
            classNames: "imagenet",
            labelIs: "sorted",
          }),
          dataset: imageFolder({ path: "imagenet" }),
        },
      ],
    }),
  },
});
