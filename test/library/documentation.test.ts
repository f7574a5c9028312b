/** What the documentation shows is what there is: examples in full, models as they are, pieces of code that run. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { builtInModels, describeModel, readoutModels } from "../../src/model/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = (path: string): string => readFileSync(join(root, path), "utf8");

test("README.md shows its examples whole, to the letter", () => {
  const shown = [...page("README.md").matchAll(/\[(examples\/\w+\.mjs)\][^`]*```js\n([^`]*(?:`[^`]+)*?)```/g)];
  expect(shown.map(([, path]) => path)).toEqual(["examples/library.mjs", "examples/classifier.mjs"]);
  for (const [, path, code] of shown) expect(code).toBe(page(path));
});

test("docs/models.md has every model as it describes itself", () => {
  const written = page("docs/models.md").split("\n## All models\n\n")[1];
  const described = Object.values({ ...builtInModels, ...readoutModels }).map((model) => describeModel(model));
  expect(written).toBe(described.join("\n"));
});

/** Pieces of code that a reader can run as they stand: those that import the library. */
const programs = ["docs/learning-rules.md"].flatMap((path) =>
  [...page(path).matchAll(/^```js\n(import [\s\S]*?from "volley";\n[\s\S]*?)^```$/gm)].map(([, code]) => ({
    path,
    code,
  })),
);

describe("docs/learning-rules.md", () => {
  async function run(word: string): Promise<string> {
    const [program, ...others] = programs.filter(({ code }) => code.includes(word));
    expect(others).toEqual([]);
    // In the repository "volley" is what was built of it.
    const args = ["--input-type=module", "-e", program.code];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stderr).toBe("");
    return stdout;
  }

  test("gradients of a model of one's own are checked", async () => {
    expect((await run("checkGradients(")).trim().split("\n").at(-1)).toBe("all gradients agree");
  });

  test("a network learns while its sequence goes on", async () => {
    const errors = [...(await run("new StreamingEprop(")).matchAll(/mean error (\d\.\d+)/g)].map(([, text]) =>
      Number(text),
    );
    expect(errors.length).toBeGreaterThan(3);
    expect(errors.at(-1)).toBeLessThan(0.3 * errors[0]);
  });
});
