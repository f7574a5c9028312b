/** Settings by path, put into an experiment before it is checked. */
import { UserError } from "../../base/errors.ts";

export type Settings = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A list made shorter, or longer by copies of its last item. */
function resized(items: readonly unknown[], length: unknown, path: string): unknown[] {
  if (!Number.isInteger(length) || (length as number) < 1 || (length as number) > 10_000) {
    throw new UserError(`${path} is ${JSON.stringify(length)}; it must be a whole number from 1 to 10000`);
  }
  if (items.length === 0) throw new UserError(`${path}: the list is empty, so there is no item to repeat`);
  return Array.from({ length: length as number }, (_, i) => structuredClone(items[Math.min(i, items.length - 1)]));
}

function assigned(at: unknown, path: string, depth: number, value: unknown): unknown {
  const keys = path.split(".");
  if (depth === keys.length) return structuredClone(value);
  const key = keys[depth];
  if (!Array.isArray(at)) {
    if (key === "*") {
      throw new UserError(`${path}: "${keys.slice(0, depth).join(".")}" is no list, so it has no items "*"`);
    }
    // What is absent is made, so that a misspelt path ends up as an unknown key, which the schema answers.
    const own = isObject(at) ? at : {};
    return { ...own, [key]: assigned(Object.hasOwn(own, key) ? own[key] : undefined, path, depth + 1, value) };
  }
  if (key === "*") return at.map((item) => assigned(item, path, depth + 1, value));
  if (key === "length" && depth === keys.length - 1) return resized(at, value, path);
  if (!/^\d+$/.test(key) || Number(key) >= at.length) {
    const places = at.length === 0 ? "it is empty" : `it has places 0 to ${at.length - 1}`;
    throw new UserError(
      `${path}: "${keys.slice(0, depth).join(".")}" is a list, and "${key}" is no place of it; ${places}. ` +
        '"*" means all of them, and "length" how many',
    );
  }
  return at.map((item, i) => (i === Number(key) ? assigned(item, path, depth + 1, value) : item));
}

/**
 * A copy of the experiment with the settings in it. Wholes come before their parts, whatever their order: a list is
 * replaced or resized, and then its items are changed.
 *
 * In a path `*` stands for every item of a list, and `length` at its end for the number of items: the last one is repeated.
 * @throws UserError for paths that lead nowhere
 */
export function applySettings(
  experiment: Settings,
  settings: readonly (readonly [path: string, value: unknown])[],
): Settings {
  const depth = (path: string) => path.split(".").length;
  for (const [path] of settings) {
    if (path.split(".").includes("")) throw new UserError(`"${path}" is no path; write for example "learning.batch"`);
  }
  return settings
    .toSorted(([a], [b]) => depth(a) - depth(b))
    .reduce<Settings>((made, [path, value]) => assigned(made, path, 0, value) as Settings, experiment);
}
