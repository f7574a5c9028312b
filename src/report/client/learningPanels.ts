/** Charts over the course of training, whose axis is switched between iterations (or epochs) and wall time. */
import type { ChartSpec, Charts } from "./charts.ts";

/** The horizontal axis as chosen. */
export type CourseAxis = Pick<ChartSpec, "x" | "xUnit" | "xCounts">;

export interface Course {
  /** What is counted: "iteration". */
  readonly name: string;
  readonly positions: readonly number[];
  /** Seconds of wall time at each position. */
  readonly wall: readonly number[];
  /** By `data-panel`; panels that the page does not have are left out. */
  readonly panels: Readonly<Record<string, (axis: CourseAxis) => ChartSpec>>;
}

export function createLearningPanels(charts: Charts) {
  return ({ name, positions, wall, panels }: Course): void => {
    const last = wall[wall.length - 1] ?? 0;
    const unit = last > 3 * 3600 ? ([3600, "h"] as const) : last > 180 ? ([60, "min"] as const) : ([1, "s"] as const);
    let byTime = false;
    const axis = (): CourseAxis => ({
      x: byTime ? wall.map((s) => s / unit[0]) : positions,
      xUnit: byTime ? unit[1] : "",
      xCounts: !byTime,
    });
    const drawn = Object.entries(panels).flatMap(([panelName, spec]) => {
      const panel = document.querySelector(`[data-panel="${panelName}"]`);
      return panel ? [{ chart: charts.chart(panel, spec(axis())), spec }] : [];
    });
    const buttons = [...document.querySelectorAll<HTMLElement>("[data-axis]")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        byTime = button.dataset.axis === "time";
        for (const b of buttons) b.setAttribute("aria-pressed", String(b === button));
        for (const title of document.querySelectorAll("[data-axis-title]")) {
          title.textContent = byTime ? `wall time (${unit[1]})` : name;
        }
        for (const { chart, spec } of drawn) chart.update(spec(axis()));
      });
    }
  };
}
