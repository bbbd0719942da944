/** One line of a JSONL data set: `{"image": "a.jpg", "caption": "a cat"}`, or `captions`; optionally `concept` and `labels`. */
import { z } from "zod";

/** Other keys are allowed, and not used. */
const lineSchema = z
  .object({
    image: z.string().min(1),
    caption: z.string().min(1).optional(),
    captions: z.array(z.string().min(1)).min(1).optional(),
    concept: z.string().min(1).optional(),
    labels: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  })
  .refine((line) => (line.caption === undefined) !== (line.captions === undefined), {
    message: `expected one of "caption" and "captions"`,
  });

export interface JsonlEntry {
  /** Line in the file, from 1. */
  readonly line: number;
  readonly image: string;
  readonly captions: readonly string[];
  readonly concept: string | undefined;
  readonly labels: Readonly<Record<string, string | readonly string[]>> | undefined;
}

/** The entry, or what is wrong with the line. */
export function parseLine(
  text: string,
  line: number,
): { readonly entry: JsonlEntry } | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    return { problem: `expected a JSON object on one line, got ${shown}` };
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      [path.join("."), message].filter((part) => part !== "").join(": "),
    );
    return { problem: problems.join("; ") };
  }
  const { image, caption, captions, concept, labels } = parsed.data;
  const texts = captions ?? (caption === undefined ? [] : [caption]);
  return { entry: Object.freeze({ line, image, captions: texts, concept, labels }) };
}
