/** A schema as rows for people: what `diptych plugins NAME` prints of each key. */
import { z } from "zod";

/** One key of a configuration. */
export interface SchemaRow {
  /** Path of the key, e.g. `logitScale.initial`; `[]` stands for each entry of a list, `*` for each key of a record. */
  readonly key: string;
  /** What it takes, e.g. `integer >= 1`, `"eos" | "last"`, `list of number`. */
  readonly type: string;
  /** Its default as JSON, undefined where it has none. */
  readonly default: string | undefined;
  /** Whether it must be given. */
  readonly required: boolean;
  /** The schema's description (`.describe(…)`), empty without one. */
  readonly description: string;
}

/** The part of JSON Schema that zod writes. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
}

/**
 * The keys of a schema as a user writes them, in its order, each nested object's after its own.
 *
 * @example
 * explainSchema(z.strictObject({ width: z.int().min(1).default(192).describe("Width of the tower.") }));
 * // [{ key: "width", type: "integer >= 1", default: "192", required: false, description: "Width of the tower." }]
 */
export function explainSchema(schema: z.ZodType): readonly SchemaRow[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return Object.freeze(rowsOf(json, ""));
}

/** Rows of the keys of `schema`, which stands at `path`. */
function rowsOf(schema: JsonSchema, path: string): readonly SchemaRow[] {
  const alternatives = choices(schema);
  if (alternatives.length > 0) {
    // The same key in several alternatives is one row where it takes the same.
    const rows = alternatives.flatMap((choice) => rowsOf(choice, path));
    const seen = new Set<string>();
    return rows.filter((row) => {
      const text = `${row.key} ${row.type}`;
      return !seen.has(text) && seen.add(text);
    });
  }
  if (schema.items && typeof schema.items === "object") return rowsOf(schema.items, `${path}[]`);
  const { properties = {}, required = [], additionalProperties } = schema;
  const join = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const named = Object.entries(properties).flatMap(([key, value]) => [
    {
      key: join(key),
      type: typeText(value),
      default: value.default === undefined ? undefined : JSON.stringify(value.default),
      required: required.includes(key),
      description: value.description ?? "",
    },
    ...rowsOf(value, join(key)),
  ]);
  const others =
    typeof additionalProperties === "object" ? rowsOf(additionalProperties, join("*")) : [];
  return [...named, ...others];
}

function choices({ anyOf, oneOf, allOf }: JsonSchema): readonly JsonSchema[] {
  return anyOf ?? oneOf ?? allOf ?? [];
}

function typeText(schema: JsonSchema): string {
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.allOf) return schema.allOf.map(typeText).join(" and ");
  const alternatives = choices(schema);
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeText))].join(" | ");
  const { type } = schema;
  if (typeof type === "object")
    return type.map((one) => typeText({ ...schema, type: one })).join(" | ");
  switch (type) {
    case "number":
    case "integer":
      return [type, boundsText(schema)].filter(Boolean).join(" ");
    case "array":
      return listText(schema);
    case "object":
      return recordText(schema);
    case "string":
      return schema.pattern === undefined ? "string" : `string matching ${schema.pattern}`;
    default:
      return type ?? "any";
  }
}

/** Bounds that only say what a float64 holds are left out. */
function boundsText(schema: JsonSchema): string {
  const real = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  return [
    ...(real(schema.minimum) ? [`>= ${schema.minimum}`] : []),
    ...(real(schema.exclusiveMinimum) ? [`> ${schema.exclusiveMinimum}`] : []),
    ...(real(schema.maximum) ? [`<= ${schema.maximum}`] : []),
    ...(real(schema.exclusiveMaximum) ? [`< ${schema.exclusiveMaximum}`] : []),
  ].join(" and ");
}

function listText({ items, prefixItems }: JsonSchema): string {
  if (prefixItems) return `[${prefixItems.map(typeText).join(", ")}]`;
  return items ? `list of ${typeText(items)}` : "list";
}

function recordText({ properties, additionalProperties }: JsonSchema): string {
  if (properties || typeof additionalProperties !== "object") return "object";
  return `object of ${typeText(additionalProperties)}`;
}
