/** `--set learning.lambda=0.4`: changes one value of an experiment before it is checked. */
import { exitCode, UserError } from "../base/errors.ts";

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A word is a string, everything that reads as JSON is that: `0.4`, `null`, `true`, `[1,2]`, `{"fraction":0.5}`. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Returns a copy of `experiment` with one assignment applied. Objects on the way are made where they are absent, so a
 * misspelt path ends up as an unknown key, which the schema answers with the key that was meant.
 *
 * @param assignment `path.to.key=value`
 */
export function setPath(experiment: unknown, assignment: string): Json {
  const equals = assignment.indexOf("=");
  const path = assignment.slice(0, equals).trim();
  const keys = path.split(".");
  if (equals < 1 || keys.some((key) => key === "")) {
    throw new UserError(
      `--set ${assignment} has no "path=value" in it; write for example --set learning.lambda=0.4`,
      exitCode.usage,
    );
  }
  if (keys.some((key) => key === "__proto__" || key === "constructor" || key === "prototype")) {
    throw new UserError(`--set ${assignment}: "${path}" is not a path of an experiment`, exitCode.usage);
  }
  const root: Json = isObject(experiment) ? { ...experiment } : {};
  let at: Json = root;
  for (const [depth, key] of keys.entries()) {
    // In a list a key is a place: `network.layers.0.neurons`.
    if (Array.isArray(at) && !(/^\d+$/.test(key) && Number(key) <= at.length)) {
      const places = at.length === 0 ? "it is empty" : `it has places 0 to ${at.length - 1}`;
      throw new UserError(
        `--set ${assignment}: "${keys.slice(0, depth).join(".")}" is a list, and "${key}" is no place of it; ${places}`,
        exitCode.usage,
      );
    }
    if (depth === keys.length - 1) {
      at[key] = parseValue(assignment.slice(equals + 1));
      break;
    }
    const next = at[key];
    const copy = Array.isArray(next) ? [...next] : isObject(next) ? { ...next } : {};
    at[key] = copy;
    at = copy as Json;
  }
  return root;
}

/** All assignments in order. */
export function setPaths(experiment: unknown, assignments: readonly string[]): unknown {
  return assignments.reduce<unknown>(setPath, experiment);
}
