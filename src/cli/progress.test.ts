import { describe, expect, test } from "vitest";
import type { IterationReport } from "../learning/rls/results.ts";
import type { Context } from "./context.ts";
import { Progress, progressText } from "./progress.ts";
import { formatCount, formatDuration, formatSeconds, paintFor } from "./talk.ts";

/** A context of which only stderr matters, and what was written to it. */
function screen(columns: number | undefined, env: Record<string, string> = {}) {
  const written: string[] = [];
  const stderr = { write: (text: string) => written.push(text), columns };
  return { context: { stderr, env } as unknown as Context, text: () => written.join("") };
}

const report = (iteration: number) => ({ iteration, rateHz: 5.5, seconds: 0.2, correlation: 0.4 }) as IterationReport;

test("one line says everything", () => {
  const state = { iteration: 37, total: 200, correlation: 0.4123, rateHz: 5.52, secondsPerIteration: 0.21 };
  expect(progressText(state)).toBe("iteration 37/200  correlation 0.412  5.52 Hz  0.21 s/iteration  34 s left");
  expect(progressText({ ...state, iteration: 200, correlation: null })).toBe(
    "iteration 200/200  correlation -  5.52 Hz  0.21 s/iteration",
  );
});

describe("elsewhere than on a terminal", () => {
  test("plain lines: the first, the last, and between them one a second", () => {
    const { context, text } = screen(undefined);
    let now = 0;
    const progress = new Progress(context, () => now);
    for (let i = 1; i <= 20; i++, now += 200) progress.iteration(report(i), { total: 20, correlation: 0.4 });
    expect(
      text()
        .split("\n")
        .map((line) => line.split("  ")[0]),
    ).toEqual(["iteration 1/20", "iteration 6/20", "iteration 11/20", "iteration 16/20", "iteration 20/20", ""]);
    expect(text()).not.toContain("\u001b");
  });
});

describe("on a terminal", () => {
  test("one line that updates, never wider than the screen; sentences go above it", () => {
    for (const columns of [120, 60, 20]) {
      const { context, text } = screen(columns, { NO_COLOR: "1" });
      let now = 0;
      const progress = new Progress(context, () => now);
      progress.iteration(report(1), { total: 3, correlation: 0.4 });
      progress.warn("careful");
      now += 1000;
      progress.iteration(report(2), { total: 3, correlation: 0.4 });
      progress.iteration(report(3), { total: 3, correlation: 0.4 });
      const lines = text().replaceAll("\r\u001b[K", "\n").split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(columns);
      expect(lines).toContain("warning: careful");
      expect(text().endsWith("\n")).toBe(true);
      expect(text().includes("━")).toBe(columns === 120);
    }
  });

  test("colour only where it shows and nobody objects", () => {
    expect(paintFor(screen(80).context)("red", "x")).toBe("\u001b[31mx\u001b[0m");
    expect(paintFor(screen(undefined).context)("red", "x")).toBe("x");
    expect(paintFor(screen(80, { NO_COLOR: "1" }).context)("red", "x")).toBe("x");
    expect(paintFor(screen(80, { TERM: "dumb" }).context)("red", "x")).toBe("x");
  });
});

test("durations and numbers read well", () => {
  expect([0.4, 59.6, 200, 7500].map(formatDuration)).toEqual(["0 s", "1 min 00 s", "3 min 20 s", "2 h 05 min"]);
  expect([0.21345, 48.123, 1260.4].map(formatSeconds)).toEqual(["0.213 s", "48.1 s", "1260 s"]);
  expect(formatCount(1_000_000)).toBe("1 000 000");
});
