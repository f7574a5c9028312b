/**
 * Constants whose values stand in a file become lists of the experiment before anything else is decided. A run keeps the
 * numbers themselves, so it does not change when the file does.
 */
import { readVector } from "../data/formats/read-vector.ts";
import { type FileConstant, isFileConstant } from "./schema-words.ts";

/** How a platform reads the file or address that an experiment names. */
export type ReadBytes = (path: string, place: string) => Promise<{ readonly name: string; readonly bytes: Uint8Array }>;

export interface WithConstants<Experiment> {
  readonly experiment: Experiment;
  /** What was read. */
  readonly notes: readonly string[];
}

/**
 * @param parse checks the experiment again once the numbers stand in it: each must be in the range of its constant
 * @throws UserError for files that cannot be read or hold something else
 */
export async function readFileConstants<Experiment>(
  given: Experiment,
  read: ReadBytes,
  parse: (value: unknown) => Experiment,
): Promise<WithConstants<Experiment>> {
  const notes: string[] = [];
  const numbersOf = async ({ file, dataset }: FileConstant, place: string): Promise<number[]> => {
    const { name, bytes } = await read(file, place);
    const values = await readVector(bytes, name, dataset);
    notes.push(`${place}: ${values.length} values from ${name}`);
    return Array.from(values);
  };
  const replace = async (value: unknown, place: string): Promise<unknown> => {
    if (typeof value !== "object" || value === null) return value;
    if (isFileConstant(value)) return numbersOf(value, place);
    const inside = (key: string | number) => (place === "" ? `${key}` : `${place}.${key}`);
    if (Array.isArray(value)) {
      // Lists of numbers may be long.
      if (!value.some((item) => typeof item === "object")) return value;
      return Promise.all(value.map((item, i) => replace(item, inside(i))));
    }
    const entries = Object.entries(value).map(async ([key, item]) => [key, await replace(item, inside(key))] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  const replaced = await replace(given, "");
  return { experiment: notes.length === 0 ? given : parse(replaced), notes: notes.sort() };
}
