import { expect, test } from "vitest";
import { escapeHtml, html, readableJson, scriptJson, scriptText } from "./html.ts";

test("values in a template are escaped, templates in a template are not", () => {
  const name = `<script>alert("1 & 2")</script>'`;
  expect(html`<td title="${name}">${name}</td>`.text).toBe(`<td title="${escapeHtml(name)}">${escapeHtml(name)}</td>`);
  expect(escapeHtml(name)).toBe("&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt;&#39;");
  expect(html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}${null}${undefined}${false}</ul>`.text).toBe(
    "<ul><li>1</li><li>2</li></ul>",
  );
});

test("JSON inside a script cannot end it, and reads back the same", () => {
  const value = { "</script><!--": "\u2028\u2029 <script> & ]]>" };
  const text = scriptJson(value);
  expect(text).not.toMatch(/[<>&\u2028\u2029]/);
  expect(JSON.parse(text)).toEqual(value);
});

test("code inside a script cannot end it, and means the same", () => {
  const text = scriptText(`return "</script>" + '<!--'`);
  expect(text).not.toMatch(/<\/script|<!--/i);
  expect(new Function(text)()).toBe("</script><!--");
});

test("an experiment is readable: numbers JSON lacks in words, lists of numbers on one line", () => {
  const text = readableJson({ most: Number.POSITIVE_INFINITY, tau: Float32Array.of(1, 2.5), name: "a, [1,\n 2]" });
  expect(text).toBe('{\n  "most": "Infinity",\n  "tau": [1, 2.5],\n  "name": "a, [1,\\n 2]"\n}');
  expect(readableJson(undefined)).toBe("null");
});
