/** From a sweep to its cells: every combination as an experiment of its own. */
import { createHash } from "node:crypto";
import { UserError } from "../../base/errors.ts";
import { parseClassify } from "../classify/schema.ts";
import { type AnyExperiment, kindOf } from "../kind.ts";
import { absolutePaths } from "../load-experiment.ts";
import { parseExperiment } from "../schema.ts";
import { applySettings, type Settings } from "./assign.ts";
import { type Axis, axesOf, conditionAxis } from "./axes.ts";
import type { Sweep } from "./schema.ts";

export interface Cell {
  /** Of its run, and unique in the sweep. */
  readonly name: string;
  /** Place on each axis, in the order of the axes. */
  readonly places: readonly number[];
  readonly seed: number;
  /** What `volley train` is given. */
  readonly experiment: Settings;
}

export interface Expanded {
  readonly axes: readonly Axis[];
  /** Seed after seed, so that the first ones cover the whole grid; the last axis varies fastest. */
  readonly cells: readonly Cell[];
}

export const mostCells = 10_000;
const longestName = 80;

const plain = (text: string): string => text.replace(/[^\w.-]+/g, "-").replace(/^-+(?=\w)|-+$/g, "");

/** `het-het_depth-3_sigma-0.1_seed-2` */
function nameOf(axes: readonly Axis[], places: readonly number[], seed: number): string {
  const parts = axes.map(({ name, values }, i) => {
    const label = plain(values[places[i]].label);
    return name === conditionAxis ? label : `${plain(name)}-${label}`;
  });
  const name = [...parts, `seed-${seed}`].join("_");
  if (name.length <= longestName) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, longestName - 9)}-${hash}`;
}

/** An experiment as it would be trained. @throws UserError with every fault of its kind's schema */
export function parseAny(experiment: unknown, source: string): AnyExperiment {
  return kindOf(experiment, source) === "classify"
    ? parseClassify(experiment, source)
    : parseExperiment(experiment, source);
}

/** All places of a grid, the last axis fastest. */
function combinations(axes: readonly Axis[]): number[][] {
  return axes.reduce<number[][]>(
    (made, { values }) => made.flatMap((places) => values.map((_, place) => [...places, place])),
    [[]],
  );
}

/**
 * @param base the experiment that is varied, its paths absolute
 * @param folder what relative paths among the settings are relative to
 * @throws UserError when a cell is no experiment, or two cannot be told apart by name
 */
export function expandSweep(
  sweep: Sweep,
  base: Settings,
  { folder, source }: { folder: string; source: string },
): Expanded {
  const axes = axesOf(sweep, source);
  const seeds = sweep.seeds ?? [typeof base.seed === "number" ? base.seed : 1];
  const count = axes.reduce((product, { values }) => product * values.length, seeds.length);
  if (count > mostCells) throw new UserError(`${source} has ${count} cells; ${mostCells} are the most`);
  const repeated = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (repeated !== undefined) throw new UserError(`${source}: the seed ${repeated} is given twice; leave one out`);
  const grid = combinations(axes);
  const cells = seeds.flatMap((seed) =>
    grid.map((places): Cell => {
      const name = nameOf(axes, places, seed);
      const where = `${source}, cell ${name}`;
      const settings = places.flatMap((place, i) => axes[i].values[place].settings);
      try {
        const experiment = { ...applySettings(base, settings), name, seed };
        const given = absolutePaths(experiment, folder);
        parseAny(given, where);
        return { name, places, seed, experiment: given };
      } catch (error) {
        if (!(error instanceof UserError) || error.message.startsWith(where)) throw error;
        throw new UserError(`${where}: ${error.message}`, error.exitCode, { cause: error });
      }
    }),
  );
  const names = new Set<string>();
  for (const { name } of cells) {
    if (names.has(name.toLowerCase())) {
      throw new UserError(
        `${source}: two cells are called "${name}"; name their values so that they differ in letters and digits: ` +
          '{"name": "...", "value": ...}',
      );
    }
    names.add(name.toLowerCase());
  }
  return { axes, cells };
}

export interface Shard {
  /** From 1. */
  readonly part: number;
  readonly of: number;
}

/** Every `of`-th cell, so that each shard has some of everything. */
export function shardOf<Item>(cells: readonly Item[], { part, of }: Shard): Item[] {
  return cells.filter((_, i) => i % of === part - 1);
}
