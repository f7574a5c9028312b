/** The example that the README shows, run as a user runs it: a process of its own that imports the built library. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const example = fileURLToPath(new URL("../../examples/library.mjs", import.meta.url));

test("examples/library.mjs learns a recording", { timeout: 180_000 }, async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [example]);
  expect(stderr).toBe("");
  const [first, , last, frozen, weights] = stdout.split("\n");
  const correlation = (line: string) => Number(/correlation (-?\d\.\d{3})$/.exec(line)?.[1]);
  expect(correlation(last)).toBeGreaterThan(correlation(first) + 0.05);
  expect(Number(/^frozen: currents (\d\.\d{3}), firing rates \d\.\d{3}$/.exec(frozen)?.[1])).toBeGreaterThan(0.3);
  expect(weights).toBe("24000 weights were trained");
});
