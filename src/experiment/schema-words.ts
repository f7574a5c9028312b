/**
 * The vocabulary in which the experiment schema is written: numbers with range and unit, objects that suggest the right
 * key, and constants that may differ from neuron to neuron.
 *
 * Every message is the second half of a sentence whose first half is the path: `learning.lambda` + `is -1; it must be ...`.
 */
import { z } from "zod";
import { didYouMean, exitCode, UserError } from "../base/errors.ts";
import { describeRange, inRange, quoted, type Range, show, wrong, wrongItem, wrongWord } from "../base/faults.ts";

/** A finite number within a range; the message names range and unit. */
export function number(range: Range) {
  return z.custom<number>((value) => inRange(value, range), {
    error: (issue) => wrong(issue.input, describeRange(range)),
  });
}

export function text(what: string) {
  return z.custom<string>((value) => typeof value === "string" && value.trim() !== "", {
    error: (issue) => wrong(issue.input, what),
  });
}

export function flag() {
  return z.boolean({ error: (issue) => wrong(issue.input, "true or false") });
}

/** One of a few words; the message suggests the nearest. */
export function choice<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: (issue) => wrongWord(issue.input, words) });
}

/** An object that accepts no other keys than these and suggests the one that was meant. */
export function object<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return wrong(issue.input, `an object with the keys ${known.join(", ")}`);
      const key = (issue as unknown as { keys: string[] }).keys[0];
      return didYouMean(key, known) || ` — known keys here: ${known.join(", ")}`;
    },
  });
}

const bareUnknownKey = /^unknown key "§\.([^"]+)"/;

/** `path` and the second half of a sentence, from a message that names its place after the sign §. */
function placed(message: string): { path: string[]; message: string } {
  const unknown = bareUnknownKey.exec(message);
  if (unknown) return { path: [], message: `has the unknown key "${unknown[1]}"${message.slice(unknown[0].length)}` };
  const place = /^§((?:\.[\w-]+)*) /.exec(message);
  if (!place) return { path: [], message: `cannot be: ${message}` };
  return { path: place[1].split(".").slice(1), message: message.slice(place[0].length) };
}

/**
 * A description that its own room checks and completes, such as `makeLoss` does: what `complete` throws becomes a fault of
 * the schema, with its place.
 *
 * @param check gives the description with all defaults; its messages begin with the path it is called with.
 */
export function checked<Given, Complete = Given>(check: (path: string, given: Given) => Complete) {
  return z
    .custom<Given>(() => true)
    .transform((value, context): Complete => {
      try {
        if (typeof value !== "object" || value === null || Array.isArray(value)) {
          context.addIssue({ code: "custom", message: wrong(value, 'an object with a "type"') });
          return z.NEVER;
        }
        return check("§", value);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        context.addIssue({ code: "custom", ...placed(error.message) });
        return z.NEVER;
      }
    });
}

/** A value checked by a schema inside of another's transformation; its faults become faults there. */
export function within<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  context: z.RefinementCtx,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const unknown = issue.code === "unrecognized_keys" ? `has the unknown key "${issue.keys[0]}"` : "";
    context.addIssue({ code: "custom", path: issue.path as string[], message: unknown + issue.message });
  }
  return z.NEVER;
}

/** `"auto"`, or what the schema says. */
export const autoOr = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .custom<z.input<Schema> | "auto">(() => true)
    .transform((value, context): z.output<Schema> | "auto" =>
      value === "auto" ? "auto" : within(schema, value, context),
    );

export const whole = (min: number, max?: number) => number({ min, max, integer: true });

/** Values by name of a column: `{"outcome": "hit"}`. */
export const columnValues = (example: string) =>
  z.record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean()], {
      error: (issue) => wrong(issue.input, "a word, a number, true or false"),
    }),
    { error: (issue) => wrong(issue.input, `an object of values by column, such as ${example}`) },
  );

export const list = <Schema extends z.ZodType>(item: Schema, what: string) =>
  z.array(item, { error: (issue) => wrong(issue.input, `a list of ${what}`) });

/**
 * Objects told apart by one key: `{"type": "bin", ...}`. The settings of each kind by its word.
 * @param otherwise the word where the key is absent. Default: it must be there
 */
export function variants<Given, Complete = Given>(
  key: string,
  kinds: Readonly<Record<string, z.ZodRawShape>>,
  otherwise?: string,
) {
  const words = Object.keys(kinds);
  const wordOf = (own: string) => (own === otherwise ? z.literal(own).default(own) : z.literal(own));
  const schemas = new Map(words.map((own) => [own, object({ [key]: wordOf(own), ...kinds[own] })]));
  return z
    .custom<Given>(() => true)
    .transform((value, context): Complete => {
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      const word: unknown = isObject ? ((value as Record<string, unknown>)[key] ?? otherwise) : undefined;
      const schema = typeof word === "string" ? schemas.get(word) : undefined;
      if (schema === undefined) {
        context.addIssue(
          isObject
            ? { code: "custom", path: [key], message: wrongWord(word, words) }
            : { code: "custom", message: wrong(value, `an object whose "${key}" is one of ${quoted(words)}`) },
        );
        return z.NEVER;
      }
      return within(schema, value, context) as Complete;
    });
}

/**
 * How a constant that differs between neurons is drawn. `min` and `max` clip every draw. A mean or median that is left out
 * is the value that the constant has where nothing is said, and what is left out besides makes the distribution as wide as
 * a gamma distribution of shape 3 (Perez-Nieves et al., Nat. Commun. 12:5791, 2021).
 */
export type Distribution =
  | { readonly distribution: "uniform"; readonly min: number; readonly max: number }
  | {
      readonly distribution: "normal";
      readonly mean?: number;
      /** Default mean / sqrt 3. */
      readonly std?: number;
      readonly min?: number;
      readonly max?: number;
    }
  | {
      readonly distribution: "lognormal";
      readonly median?: number;
      /** Of the logarithm. Default sqrt(ln(4/3)) = 0.536. */
      readonly sigma?: number;
      readonly min?: number;
      readonly max?: number;
    }
  | {
      readonly distribution: "gamma";
      readonly mean?: number;
      /** Default 3. */
      readonly shape?: number;
      readonly min?: number;
      readonly max?: number;
    }
  | {
      /** One of these values, each by its share of the neurons, which neuron at random. */
      readonly distribution: "choice";
      readonly values: readonly number[];
      /** Default: all alike. */
      readonly shares?: readonly number[];
    };

/** One number per neuron in a file: npy, npz, CSV, HDF5. Read before the experiment is resolved (`file-constants.ts`). */
export interface FileConstant {
  readonly file: string;
  /** Name of the array or column, where the file holds several. */
  readonly dataset?: string;
}

/** One number for all neurons, a list with one number each, a distribution to draw them from, or a file with the list. */
export type Constant = number | readonly number[] | Distribution | FileConstant;

const parametersOf: Record<Distribution["distribution"], { required: string[]; optional: string[] }> = {
  uniform: { required: ["min", "max"], optional: [] },
  normal: { required: [], optional: ["mean", "std", "min", "max"] },
  lognormal: { required: [], optional: ["median", "sigma", "min", "max"] },
  gamma: { required: [], optional: ["mean", "shape", "min", "max"] },
  choice: { required: ["values"], optional: ["shares"] },
};

/** What is wrong with the values of a choice or their shares, or undefined. */
function choiceFault({ values, shares }: Record<string, unknown>, range: Range): string | undefined {
  if (!Array.isArray(values) || values.length === 0) {
    return `has values = ${show(values)}; a choice needs a list of the values to choose from`;
  }
  const bad = values.findIndex((item) => !inRange(item, range));
  if (bad >= 0) return `has ${show(values[bad])} among its values; every one must be ${describeRange(range)}`;
  if (shares === undefined) return undefined;
  if (!Array.isArray(shares) || shares.length !== values.length || shares.some((s) => !inRange(s, { min: 0 }))) {
    return `has shares = ${show(shares)}; give ${values.length} numbers of at least 0, one per value`;
  }
  const total = (shares as number[]).reduce((sum, share) => sum + share, 0);
  return Math.abs(total - 1) < 1e-9 ? undefined : `has shares that add up to ${total}; they must add up to 1`;
}

/** What is wrong with a distribution, or undefined. */
function distributionFault(value: Record<string, unknown>, range: Range): string | undefined {
  const kinds = Object.keys(parametersOf);
  const kind = value.distribution;
  if (typeof kind !== "string" || !(kind in parametersOf)) {
    const hint = typeof kind === "string" ? didYouMean(kind, kinds) : "";
    return `has the distribution ${show(kind)}; it must be one of ${kinds.join(", ")}${hint}`;
  }
  const { required, optional } = parametersOf[kind as Distribution["distribution"]];
  const known = [...required, ...optional];
  for (const key of Object.keys(value)) {
    if (key !== "distribution" && !known.includes(key)) {
      return `has the unknown key "${key}"; a ${kind} distribution takes ${known.join(", ")}${didYouMean(key, known)}`;
    }
  }
  if (kind === "choice") return choiceFault(value, range);
  for (const key of known) {
    const given = value[key];
    if (given === undefined && optional.includes(key)) continue;
    const positive = key === "std" || key === "sigma" || key === "shape" || key === "median";
    if (!inRange(given, positive ? { above: 0 } : {})) {
      return `has ${key} = ${show(given)}; a ${kind} distribution needs ${positive ? "a number above 0" : "a number"} there`;
    }
  }
  for (const key of ["mean", "min", "max"]) {
    if (value[key] !== undefined && !inRange(value[key], range)) {
      return `has ${key} = ${value[key]}; ${key === "mean" ? "it" : "every value"} must be ${describeRange(range)}`;
    }
  }
  if (value.min !== undefined && value.max !== undefined && (value.min as number) >= (value.max as number)) {
    return `has min = ${value.min} and max = ${value.max}; min must be below max`;
  }
  if (kind === "normal" && value.min === undefined && (range.min !== undefined || range.above !== undefined)) {
    return `is a normal distribution without min, which reaches below ${range.min ?? range.above}; give min (${describeRange(range)})`;
  }
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a value is the file of a constant: targets that are read from a file have a type besides. */
export const isFileConstant = (value: unknown): value is FileConstant =>
  isObject(value) && Object.hasOwn(value, "file") && !Object.hasOwn(value, "type");

/** What is wrong with the file of a constant, or undefined. */
function fileFault(value: Record<string, unknown>): string | undefined {
  const stranger = Object.keys(value).find((key) => key !== "file" && key !== "dataset");
  if (stranger !== undefined) return `has the unknown key "${stranger}"; a file takes file and dataset`;
  for (const [key, name] of Object.entries(value)) {
    if (typeof name !== "string" || name.trim() === "") return `has ${key} = ${show(name)}; it must be a name`;
  }
  return undefined;
}

/** A constant that may be a number, one number per neuron, a distribution, or a file. */
export function constant(range: Range) {
  const fault = (value: unknown): string | undefined => {
    if (typeof value === "number") return inRange(value, range) ? undefined : wrong(value, describeRange(range));
    if (Array.isArray(value)) {
      return value.length === 0 ? "is an empty list; give one number per neuron" : wrongItem(value, range);
    }
    if (isFileConstant(value)) return fileFault(value as unknown as Record<string, unknown>);
    if (isObject(value)) return distributionFault(value, range);
    return wrong(
      value,
      `${describeRange(range)}, a list with one such number per neuron, a distribution, or {"file": "values.npy"}`,
    );
  };
  return z.custom<Constant>((value) => fault(value) === undefined, {
    error: (issue) => fault(issue.input) ?? "is wrong",
  });
}

/** Letters that may stand in the name of a folder on every system. */
export const experimentName = z.custom<string>((value) => typeof value === "string" && /^[\w.-]{1,80}$/.test(value), {
  error: (issue) => `is ${JSON.stringify(issue.input)}; it must be 1 to 80 letters, digits, ".", "_" or "-"`,
});

export const seedNumber = number({ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });

/** Constants by parameter of a neuron model. */
export const modelParameters = z
  .record(z.string(), constant({}), { error: "must be an object of numbers by parameter name" })
  .default({});

/** Checks a value against a schema; all faults in one message, each with its path. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, source: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return `unknown key "${[...path, issue.keys[0]].join(".")}"${issue.message}`;
    }
    return `${path.length === 0 ? "the experiment" : path.join(".")} ${issue.message}`;
  });
  if (faults.length === 1) throw new UserError(`${source}: ${faults[0]}`, exitCode.usage);
  throw new UserError(`${source} has ${faults.length} faults:\n  ${faults.join("\n  ")}`, exitCode.usage);
}
