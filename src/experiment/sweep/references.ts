/** Figures of others that stand in the table of a sweep beside its own. */
import { didYouMean, UserError } from "../../base/errors.ts";
import { type Axis, axisNamed } from "./axes.ts";
import type { Sweep } from "./schema.ts";

export interface ReferenceFigure {
  readonly mean: number;
  readonly sd: number | null;
}

/** One column of the table. */
export interface Reference {
  readonly what: string;
  /** Index of the measure that it is to be compared with. */
  readonly measure: number;
  /** The figure for one combination of values; null: there is none. */
  of(places: readonly number[]): ReferenceFigure | null;
}

/** The place of a value on its axis. */
function placeOf({ name, values }: Axis, given: string | number | boolean | null, where: string): number {
  const labels = values.map(({ label }) => label);
  const place = labels.indexOf(String(given));
  if (place >= 0) return place;
  const hint = didYouMean(String(given), labels) || ` — its values are ${labels.map((one) => `"${one}"`).join(", ")}`;
  throw new UserError(`${where}.${name} is ${JSON.stringify(given)}, which is no value of this axis${hint}`);
}

/** @throws UserError for measures, axes and values that the sweep does not have, and for two figures of one combination */
export function referencesOf({ references, measure }: Sweep, axes: readonly Axis[], source: string): Reference[] {
  const paths = measure.map(({ path }) => path);
  return references.map((reference, r): Reference => {
    const where = `${source}: references.${r}`;
    const index = reference.measure === null ? 0 : paths.indexOf(reference.measure);
    if (index < 0) {
      const hint =
        didYouMean(reference.measure ?? "", paths) || ` — measured are ${paths.map((path) => `"${path}"`).join(", ")}`;
      throw new UserError(`${where}.measure is "${reference.measure}", which is not measured${hint}`);
    }
    const figures = reference.values.map(({ at, value, sd }, v) => {
      const place = `${where}.values.${v}.at`;
      const wanted = new Map(
        Object.entries(at).map(([name, given]) => {
          const axis = axisNamed(axes, name, place);
          return [axes.indexOf(axis), placeOf(axis, given, place)];
        }),
      );
      return { wanted, mean: value, sd: sd ?? null };
    });
    const meets = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>) =>
      [...a].every(([axis, place]) => (b.get(axis) ?? place) === place);
    const twice = figures.findIndex(({ wanted }, v) =>
      figures.slice(0, v).some((other) => meets(wanted, other.wanted)),
    );
    if (twice >= 0) {
      throw new UserError(`${where}.values.${twice} is a second figure of the same networks; leave one of them out`);
    }
    return {
      what: reference.what,
      measure: index,
      of: (places) =>
        figures.find(({ wanted }) => [...wanted].every(([axis, place]) => places[axis] === place)) ?? null,
    };
  });
}
