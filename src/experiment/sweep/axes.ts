/** The axes of a sweep: what is varied, by which name, and in which order. */
import { didYouMean, UserError } from "../../base/errors.ts";
import type { AxisValue, Sweep } from "./schema.ts";

export interface Axis {
  readonly name: string;
  /** Of each value: the settings that it stands for. */
  readonly values: readonly (AxisValue & { readonly settings: readonly (readonly [path: string, value: unknown])[] })[];
}

export const conditionAxis = "condition";
const reserved = [conditionAxis, "seed", "cell", "state"];

/** Words of a path that say what is varied: `network.layers.*.initial.sigma` has network, layers, initial, sigma. */
const telling = (path: string): string[] => path.split(".").filter((word) => !/^(\*|\d+|length)$/.test(word));

/** The last telling word of each path, and as many words before it as it takes to tell it from the others. */
function shortNames(paths: readonly string[], taken: readonly string[]): string[] {
  const words = paths.map(telling);
  const lengths = paths.map(() => 1);
  const name = (i: number) => words[i].slice(-lengths[i]).join(".");
  for (;;) {
    const names = paths.map((_, i) => name(i));
    const alike = names.flatMap((own, i) =>
      lengths[i] < words[i].length && (taken.includes(own) || names.indexOf(own) !== i || names.lastIndexOf(own) !== i)
        ? [i]
        : [],
    );
    if (alike.length === 0) return names;
    for (const i of alike) lengths[i]++;
  }
}

/** Conditions first, then the grid in the order of the file. @throws UserError for names that are not clear */
export function axesOf(sweep: Sweep, source: string): Axis[] {
  const entries = Object.entries(sweep.grid);
  const given = entries.flatMap(([key, { paths }]) => (paths === null ? [] : [key]));
  const short = shortNames(
    entries.flatMap(([key, { paths }]) => (paths === null ? [key] : [])),
    [...given, ...reserved],
  );
  let next = 0;
  const axes = entries.map(([key, { paths, values }]): Axis => {
    const name = paths === null ? short[next++] || key : key;
    return {
      name,
      values: values.map((value) => ({
        ...value,
        settings: value.set ? Object.entries(value.set) : (paths ?? [key]).map((path) => [path, value.value] as const),
      })),
    };
  });
  for (const [i, { name }] of axes.entries()) {
    if (reserved.includes(name))
      throw new UserError(`${source}: an axis of the grid is called "${name}"; choose another name`);
    if (axes.findIndex((other) => other.name === name) !== i) {
      throw new UserError(
        `${source}: two axes of the grid are called "${name}"; name one of them: {"a name": {"path": ..., "values": ...}}`,
      );
    }
  }
  const conditions = sweep.conditions.map(({ name, set }) => ({
    label: name,
    value: name,
    settings: Object.entries(set),
  }));
  const twice = conditions.find(({ label }, i) => conditions.findIndex((other) => other.label === label) !== i);
  if (twice !== undefined)
    throw new UserError(`${source}: two conditions are called "${twice.label}"; name them differently`);
  return conditions.length === 0 ? axes : [{ name: conditionAxis, values: conditions }, ...axes];
}

/** The axis of this name. @param where the key that names it, for messages */
export function axisNamed(axes: readonly Axis[], name: string, where: string): Axis {
  const found = axes.find((axis) => axis.name === name);
  if (found !== undefined) return found;
  const names = axes.map((axis) => axis.name);
  const hint = didYouMean(name, names) || ` — the axes are ${names.map((known) => `"${known}"`).join(", ") || "none"}`;
  throw new UserError(`${where} is "${name}", which is no axis of this sweep${hint}`);
}
