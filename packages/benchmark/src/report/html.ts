/** HTML as text: a template tag that escapes what is put in, and leaves what is already HTML. */

/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

export function raw(html: string): Html {
  return { html };
}

type Part = string | number | Html | readonly Part[];

function escape(text: string): string {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}

function show(part: Part): string {
  if (typeof part === "string") return escape(part);
  if (typeof part === "number") return String(part);
  return "html" in part ? part.html : part.map(show).join("");
}

/** @example html`<p>${name}</p>` */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return raw(
    strings.map((text, i) => text + (i < parts.length ? show(parts[i] ?? "") : "")).join(""),
  );
}
