/**
 * The vocabulary in which the experiment schema is written: numbers with range and unit, objects that suggest the right
 * key, and constants that may differ from neuron to neuron.
 *
 * Every message is the second half of a sentence whose first half is the path: `learning.lambda` + `is -1; it must be ...`.
 */
import { z } from "zod";
import { didYouMean, exitCode, UserError } from "../base/errors.ts";

export interface Range {
  /** Smallest allowed value. */
  readonly min?: number;
  /** Largest allowed value. */
  readonly max?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  readonly unit?: string;
  readonly integer?: boolean;
}

/** `a number from 0 to 1`, `a whole number of at least 1`, `a number above 0 ms`. */
export function describeRange(range: Range): string {
  const unit = range.unit === undefined ? "" : ` ${range.unit}`;
  const noun = range.integer ? "a whole number" : "a number";
  if (range.above !== undefined) {
    return `${noun} above ${range.above}${range.max === undefined ? "" : ` and at most ${range.max}`}${unit}`;
  }
  if (range.min !== undefined && range.max !== undefined) return `${noun} from ${range.min} to ${range.max}${unit}`;
  if (range.min !== undefined) return `${noun} of at least ${range.min}${unit}`;
  if (range.max !== undefined) return `${noun} of at most ${range.max}${unit}`;
  return range.unit === undefined ? noun : `${noun} in ${range.unit}`;
}

export function inRange(value: unknown, range: Range): value is number {
  return (
    typeof value === "number" &&
    Number.isFinite(value) &&
    !(range.integer && !Number.isSafeInteger(value)) &&
    !(range.min !== undefined && value < range.min) &&
    !(range.max !== undefined && value > range.max) &&
    !(range.above !== undefined && value <= range.above)
  );
}

/** A value as it should appear in a message: short, and strings in quotes. */
export function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const wrong = (value: unknown, must: string) => `is ${show(value)}; it must be ${must}`;

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
  return z.enum(words, {
    error: (issue) => {
      const hint = typeof issue.input === "string" ? didYouMean(issue.input, words) : "";
      return wrong(issue.input, `one of ${words.map((word) => `"${word}"`).join(", ")}`) + hint;
    },
  });
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

export const list = <Schema extends z.ZodType>(item: Schema, what: string) =>
  z.array(item, { error: (issue) => wrong(issue.input, `a list of ${what}`) });

/** Objects told apart by one key: `{"type": "bin", ...}`. The settings of each kind by its word. */
export function variants<Given>(key: string, kinds: Readonly<Record<string, z.ZodRawShape>>) {
  const words = Object.keys(kinds);
  const schemas = new Map(words.map((word) => [word, object({ [key]: z.literal(word), ...kinds[word] })]));
  return z
    .custom<Given>(() => true)
    .transform((value, context): Given => {
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      const word: unknown = isObject ? (value as Record<string, unknown>)[key] : undefined;
      const schema = typeof word === "string" ? schemas.get(word) : undefined;
      if (schema === undefined) {
        const must = `one of ${words.map((known) => `"${known}"`).join(", ")}`;
        const hint = typeof word === "string" ? didYouMean(word, words) : "";
        context.addIssue(
          isObject
            ? { code: "custom", path: [key], message: wrong(word, must) + hint }
            : { code: "custom", message: wrong(value, `an object whose "${key}" is ${must}`) },
        );
        return z.NEVER;
      }
      return within(schema, value, context) as Given;
    });
}

/** How a constant that differs between neurons is drawn. `min` and `max` clip every draw. */
export type Distribution =
  | { readonly distribution: "uniform"; readonly min: number; readonly max: number }
  | {
      readonly distribution: "normal";
      readonly mean: number;
      readonly std: number;
      readonly min?: number;
      readonly max?: number;
    }
  | {
      readonly distribution: "lognormal";
      readonly median: number;
      readonly sigma: number;
      readonly min?: number;
      readonly max?: number;
    }
  | {
      readonly distribution: "gamma";
      readonly mean: number;
      readonly shape: number;
      readonly min?: number;
      readonly max?: number;
    };

/** One number for all neurons, a list with one number each, or a distribution to draw them from. */
export type Constant = number | readonly number[] | Distribution;

const parametersOf: Record<Distribution["distribution"], { required: string[]; optional: string[] }> = {
  uniform: { required: ["min", "max"], optional: [] },
  normal: { required: ["mean", "std"], optional: ["min", "max"] },
  lognormal: { required: ["median", "sigma"], optional: ["min", "max"] },
  gamma: { required: ["mean", "shape"], optional: ["min", "max"] },
};

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
  for (const key of known) {
    const given = value[key];
    if (given === undefined && optional.includes(key)) continue;
    const positive = key === "std" || key === "sigma" || key === "shape" || key === "median";
    if (!inRange(given, positive ? { above: 0 } : {})) {
      return `has ${key} = ${show(given)}; a ${kind} distribution needs ${positive ? "a number above 0" : "a number"} there`;
    }
  }
  for (const key of ["min", "max"]) {
    if (value[key] !== undefined && !inRange(value[key], range)) {
      return `has ${key} = ${value[key]}; every value must be ${describeRange(range)}`;
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

/** A constant that may be a number, one number per neuron, or a distribution. */
export function constant(range: Range) {
  const fault = (value: unknown): string | undefined => {
    if (typeof value === "number") return inRange(value, range) ? undefined : wrong(value, describeRange(range));
    if (Array.isArray(value)) {
      const bad = value.findIndex((item) => !inRange(item, range));
      if (value.length === 0) return "is an empty list; give one number per neuron";
      return bad < 0
        ? undefined
        : `has ${show(value[bad])} at position ${bad}; every item must be ${describeRange(range)}`;
    }
    if (typeof value === "object" && value !== null) return distributionFault(value as Record<string, unknown>, range);
    return wrong(value, `${describeRange(range)}, a list with one such number per neuron, or a distribution`);
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
