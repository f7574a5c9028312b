/** The example that the README shows first, with fewer trials. */
import { expect, test } from "vitest";
import { runExample } from "./run-example.ts";

test("examples/library.mjs learns a recording", { timeout: 180_000 }, async () => {
  const { stdout, stderr } = await runExample("library.mjs", [
    ["iterations: 60,", "iterations: 40,"],
    ["trials: 20 }", "trials: 5 }"],
  ]);
  expect(stderr).toBe("");
  const [first, last, frozen, weights] = stdout.split("\n");
  const correlation = (line: string) => Number(/correlation (-?\d\.\d{3})$/.exec(line)?.[1]);
  expect(correlation(last)).toBeGreaterThan(correlation(first) + 0.05);
  expect(Number(/^frozen: currents (\d\.\d{3}), firing rates \d\.\d{3}$/.exec(frozen)?.[1])).toBeGreaterThan(0.3);
  expect(weights).toBe("24000 weights were trained");
});
