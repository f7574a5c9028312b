/**
 * Text to HTML without accidents: whatever is put into an `html` template is escaped unless it is `Html` itself.
 *
 * Names in a report come from files of other people; a neuron may be called `<script>`.
 */

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

function textOf(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "object") return value.map(textOf).join("");
  return escapeHtml(String(value));
}

/** A template whose values are escaped; arrays are joined, `null`, `undefined` and `false` vanish. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((part, i) => (i < values.length ? part + textOf(values[i]) : part)).join(""));
}

/** JSON that may stand inside a <script>: no `<`, no line separators that are not JSON's own, no numbers JSON lacks. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Code for the inside of a <script>: an end tag in a string or comment would close it early. */
export function scriptText(code: string): string {
  return code.replace(/<(?=\/script|!--)/gi, "\\x3c");
}

/** Indented JSON for people; numbers JSON lacks and typed arrays are written in words. */
export function readableJson(value: unknown): string {
  const replace = (_key: string, item: unknown): unknown => {
    if (typeof item === "number" && !Number.isFinite(item)) return String(item);
    if (ArrayBuffer.isView(item)) return Array.from(item as Float32Array);
    return item;
  };
  const text = JSON.stringify(value, replace, 2) ?? "null";
  // Short lists of numbers on one line: a thousand lines of one number each hide everything else.
  return text.replace(
    /\[\s*((?:-?[\d.eE+-]+,\s*)*-?[\d.eE+-]+)\s*\]/g,
    (_all, inner: string) => `[${inner.replace(/\s+/g, " ")}]`,
  );
}
