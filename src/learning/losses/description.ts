/**
 * Descriptions: what an experiment says about a loss, an optimiser, a schedule. A description is a plain object whose
 * `type` says of which kind it is; each kind has a table of its settings with range and default. The table is the one
 * place where both stand: `complete` checks a description against it and fills in what is absent.
 */
import { didYouMean, UserError } from "../../base/errors.ts";

interface NumberRange {
  /** Smallest allowed value. */
  readonly min?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  /** Largest allowed value. */
  readonly max?: number;
  /** Exclusive upper bound. */
  readonly below?: number;
  readonly integer?: boolean;
}

/** A number. Without a default it must be given; with the default null, null may be given too. */
interface NumberSetting extends NumberRange {
  readonly default?: number | null;
}

/** A list of numbers, or null for none. */
interface ListSetting {
  readonly each: NumberRange;
  readonly default: null;
}

/** One of a few words. */
interface WordSetting<Word extends string = string> {
  readonly words: readonly Word[];
  /** null: not given; what that means is said where the setting is documented. */
  readonly default: Word | null;
}

type Setting = NumberSetting | ListSetting | WordSetting;

/** The setting that a key with these values needs. */
type SettingOf<Value> = [NonNullable<Value>] extends [string]
  ? WordSetting<NonNullable<Value>>
  : [NonNullable<Value>] extends [number]
    ? NumberSetting
    : ListSetting;

/** For every `type` of a union of descriptions the settings of that kind. */
export type Kinds<Description extends { type: string }> = {
  readonly [Type in Description["type"]]: Extract<Description, { type: Type }> extends infer Kind
    ? { readonly [Key in Exclude<keyof Kind, "type">]-?: SettingOf<Kind[Key]> }
    : never;
};

/** A description with every default in place. */
export type Complete<Description> = Description extends unknown
  ? { readonly [Key in keyof Description]-?: Exclude<Description[Key], undefined> }
  : never;

function rangeText({ min, above, max, below, integer }: NumberRange): string {
  const bounds = [
    above === undefined ? "" : `above ${above}`,
    min === undefined ? "" : `of at least ${min}`,
    below === undefined ? "" : `below ${below}`,
    max === undefined ? "" : `of at most ${max}`,
  ].filter((bound) => bound !== "");
  return [integer ? "a whole number" : "a number", bounds.join(" and ")].join(" ").trimEnd();
}

function inRange(value: unknown, { min, above, max, below, integer }: NumberRange): value is number {
  return (
    typeof value === "number" &&
    Number.isFinite(value) &&
    !(integer && !Number.isSafeInteger(value)) &&
    !(min !== undefined && value < min) &&
    !(above !== undefined && value <= above) &&
    !(max !== undefined && value > max) &&
    !(below !== undefined && value >= below)
  );
}

const quoted = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(", ");

function show(value: unknown): string {
  if (value === undefined) return "missing";
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}

/** What is wrong with a value, as the second half of a sentence whose first half is its path; or undefined. */
function fault(value: unknown, setting: Setting): string | undefined {
  if (value === null && setting.default === null) return undefined;
  if ("words" in setting) {
    if (setting.words.includes(value as string)) return undefined;
    const hint = typeof value === "string" ? didYouMean(value, setting.words) : "";
    return `is ${show(value)}; it must be one of ${quoted(setting.words)}${hint}`;
  }
  if ("each" in setting) {
    if (!Array.isArray(value)) return `is ${show(value)}; it must be a list of numbers`;
    const bad = value.findIndex((item) => !inRange(item, setting.each));
    return bad < 0
      ? undefined
      : `has ${show(value[bad])} at position ${bad}; every item must be ${rangeText(setting.each)}`;
  }
  return inRange(value, setting) ? undefined : `is ${show(value)}; it must be ${rangeText(setting)}`;
}

/**
 * The description with defaults filled in.
 * @param path where it stands in the experiment, the start of every message: `learning.optimiser`
 * @throws UserError for an unknown type or key (with the nearest known one) and for values out of range
 */
export function complete<Description extends { type: string }>(
  path: string,
  given: Description,
  kinds: Kinds<Description>,
): Complete<Description> {
  const types = Object.keys(kinds);
  const type: unknown = given?.type;
  if (typeof type !== "string" || !types.includes(type)) {
    const hint = typeof type === "string" ? didYouMean(type, types) : "";
    throw new UserError(`${path}.type is ${show(type)}; it must be one of ${quoted(types)}${hint}`);
  }
  const settings: Readonly<Record<string, Setting>> = kinds[type as Description["type"]];
  const known = Object.keys(settings);
  for (const key of Object.keys(given)) {
    if (key === "type" || known.includes(key)) continue;
    const hint = didYouMean(key, known) || ` — known keys of "${type}": ${known.join(", ") || "none"}`;
    throw new UserError(`unknown key "${path}.${key}"${hint}`);
  }
  const result: Record<string, unknown> = { type };
  for (const [key, setting] of Object.entries(settings)) {
    const value = (given as Record<string, unknown>)[key];
    result[key] = value === undefined ? setting.default : value;
    const problem = fault(result[key], setting);
    if (problem !== undefined) throw new UserError(`${path}.${key} ${problem}`);
  }
  return result as Complete<Description>;
}
