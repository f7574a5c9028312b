/** The figures of a sweep, from its table. */
import { type Axis, axisNamed } from "../../experiment/sweep/axes.ts";
import { figureNames } from "../../experiment/sweep/load-sweep.ts";
import type { FigureSettings, Sweep } from "../../experiment/sweep/schema.ts";
import {
  type CellOutcome,
  type Group,
  groupsOf,
  labelOf,
  type Unit,
  unitOf,
  withUnit,
} from "../../experiment/sweep/table.ts";
import type { Plot, PlotPoint, PlotSeries } from "../../report/figure/plot.ts";

/** One point: a group's figure in the unit of the axis. */
function pointOf({ statistics }: Group, m: number, x: number, { factor }: Unit): PlotPoint {
  const { mean, sd, values } = statistics[m];
  return {
    x,
    mean: factor * mean,
    sd: sd === null ? null : factor * sd,
    values: values.map((value) => factor * value),
  };
}

/** Every combination of the axes that tell lines apart. */
function seriesOf(
  axes: readonly Axis[],
  groups: readonly Group[],
  settings: FigureSettings,
  point: (group: Group) => PlotPoint,
): PlotSeries[] {
  const apart = settings.lines.map((name) => axes.indexOf(axisNamed(axes, name, "figure.lines")));
  const byName = new Map<string, PlotPoint[]>();
  for (const group of groups) {
    const name = apart.map((a) => axes[a].values[group.places[a]].label).join(", ");
    byName.set(name, [...(byName.get(name) ?? []), point(group)]);
  }
  return [...byName].map(([name, points]) => ({ name, points }));
}

function noteOf(outcomes: readonly CellOutcome[], groups: readonly Group[], m: number): string {
  const most = Math.max(0, ...groups.map(({ statistics }) => statistics[m].n));
  const absent = outcomes.filter(({ values }) => values[m] === null).length;
  return [
    most > 1 ? `mean ± standard deviation of ${most} seeds` : "one seed",
    ...(absent > 0 ? [`${absent} of ${outcomes.length} cells without a figure`] : []),
  ].join("; ");
}

/** @returns by name of the file, without its ending */
export function plotsOf(sweep: Sweep, axes: readonly Axis[], outcomes: readonly CellOutcome[]): Map<string, Plot> {
  const groups = groupsOf(outcomes);
  const names = figureNames(sweep);
  return new Map(
    sweep.figure.map((settings, f): [string, Plot] => {
      const m = settings.y === null ? 0 : sweep.measure.findIndex(({ path }) => path === settings.y);
      const unit = unitOf(sweep.measure[m].path);
      const axis = axisNamed(axes, settings.x, "figure.x");
      const place = axes.indexOf(axis);
      const isNumeric = axis.values.every(({ value }) => typeof value === "number");
      const xOf = ({ places }: Group) => (isNumeric ? (axis.values[places[place]].value as number) : places[place]);
      return [
        names[f],
        {
          title: settings.title,
          x: {
            label: settings.xLabel ?? axis.name,
            logarithmic: settings.logX,
            categories: isNumeric ? null : axis.values.map(({ label }) => label),
          },
          y: {
            label: settings.yLabel ?? withUnit(labelOf(sweep.measure[m]), unit),
            logarithmic: settings.logY,
            ...(unit.name === "%" ? { bounds: [0, 100] as const } : {}),
          },
          legend: settings.lines.join(", "),
          series: seriesOf(axes, groups, settings, (group) => pointOf(group, m, xOf(group), unit)),
          marks: settings.marks.map(({ x, y, label }) =>
            x !== undefined ? { axis: "x", value: x, label } : { axis: "y", value: unit.factor * (y ?? 0), label },
          ),
          note: noteOf(outcomes, groups, m),
        },
      ];
    }),
  );
}
