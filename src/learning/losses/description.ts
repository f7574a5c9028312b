/**
 * Descriptions: what an experiment says about a loss, an optimiser, a schedule. A description is a plain object whose
 * `type` says of which kind it is; each kind has a table of its settings with range and default. The table is the one
 * place where both stand: `complete` checks a description against it and fills in what is absent.
 */
import { didYouMean, UserError } from "../../base/errors.ts";
import { describeRange, inRange, quoted, type Range, wrong, wrongItem, wrongWord } from "../../base/faults.ts";

/** A number. Without a default it must be given; with the default null, null may be given too. */
interface NumberSetting extends Range {
  readonly default?: number | null;
}

/** A list of numbers, or null for none. */
interface ListSetting {
  readonly each: Range;
  readonly default: null;
}

/** One of a few words. */
interface WordSetting<Word extends string = string> {
  readonly words: readonly Word[];
  /** null: not given; what that means is said where the setting is documented. */
  readonly default: Word | null;
}

/** A number, or one of a few words in its place. */
interface NumberOrWordSetting<Word extends string = string> {
  readonly numberOrWords: readonly Word[];
  readonly range: Range;
  readonly default: Word | number;
}

type Setting = NumberSetting | ListSetting | WordSetting | NumberOrWordSetting;

/** The setting that a key with these values needs. */
type SettingOf<Value> = [NonNullable<Value>] extends [string]
  ? WordSetting<NonNullable<Value>>
  : [NonNullable<Value>] extends [number]
    ? NumberSetting
    : [NonNullable<Value>] extends [string | number]
      ? NumberOrWordSetting<Extract<Value, string>>
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

/** What is wrong with a value, or undefined. */
function fault(value: unknown, setting: Setting): string | undefined {
  if (value === null && setting.default === null) return undefined;
  if ("words" in setting) return setting.words.includes(value as string) ? undefined : wrongWord(value, setting.words);
  if ("each" in setting) {
    return Array.isArray(value) ? wrongItem(value, setting.each) : wrong(value, "a list of numbers");
  }
  if ("numberOrWords" in setting) {
    const { numberOrWords: words, range } = setting;
    if (words.includes(value as string) || inRange(value, range)) return undefined;
    const hint = typeof value === "string" ? didYouMean(value, words) : "";
    return wrong(value, `${describeRange(range)}, or one of ${quoted(words)}`) + hint;
  }
  return inRange(value, setting) ? undefined : wrong(value, describeRange(setting));
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
    throw new UserError(`${path}.type ${wrongWord(type, types)}`);
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
