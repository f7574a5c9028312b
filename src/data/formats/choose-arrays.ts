/** Which arrays of a file are the targets, when the user did not say. A choice is explained; a doubt is an error. */

import { dataError, didYouMean } from "../../base/errors.ts";
import type { Recording } from "../recording.ts";
import { shapeText } from "./limits.ts";
import { isTimeName, vectorLength } from "./orientation.ts";

export interface Candidate {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly numeric: boolean;
}

export interface Choice {
  readonly names: readonly string[];
  /** What the names say about the unit. */
  readonly quantity?: Recording["quantity"];
  readonly notes: readonly string[];
}

const rateName = /rate|psth|firing|hz|(?:^|[_/.])fr(?:$|[_/.\d])/i;
const otherRateName = /(?:learning|sampl\w*|frame|refresh|scan)_?rate/i;
const currentName = /[ux]targ|target|current|synaptic|(?:^|[_/.])(?:mu|input)s?(?:$|[_/.\d])/i;
/** Companions of a mean, not conditions of an experiment. */
const spreadName = /(?:^|[_/.])(?:sem|std|sd|se|err|error|var|ci|ci_?(?:low|high)|n|count)s?(?:$|[_/.])/i;

/** What a dataset's name says about its unit. */
export function quantityOfName(name: string): Recording["quantity"] | undefined {
  if (rateName.test(name) && !otherRateName.test(name)) return "rateHz";
  return currentName.test(name) ? "current" : undefined;
}

/** `a (3 x 4), b (5)`, at most twelve. */
export function listed(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return "no arrays";
  const shown = candidates.slice(0, 12).map(({ name, shape }) => `${name} (${shapeText(shape)})`);
  return shown.join(", ") + (candidates.length > 12 ? ` and ${candidates.length - 12} more` : "");
}

function sameShape(candidates: readonly Candidate[]): boolean {
  return candidates.every(({ shape }) => shape.join() === candidates[0].shape.join());
}

/** Looks up the datasets a user named, in the order given. */
function given(all: readonly Candidate[], wanted: readonly string[], source: string): Choice {
  if (wanted.length === 0) throw dataError(`targets.datasets is empty; name some of ${source} or leave it out`);
  const names = wanted.map((name) => name.replace(/^\/+/, ""));
  for (const [i, name] of names.entries()) {
    const found = all.find((candidate) => candidate.name === name);
    if (found === undefined) {
      const hint =
        didYouMean(
          name,
          all.map((candidate) => candidate.name),
        ) || `; it holds ${listed(all)}`;
      throw dataError(`${source} has no dataset "${name}"${hint}`);
    }
    if (!found.numeric) throw dataError(`dataset "${name}" of ${source} holds ${found.dtype} values, not numbers`);
    if (names.indexOf(name) !== i) throw dataError(`targets.datasets names "${name}" twice; each task needs its own`);
  }
  const quantities = new Set(names.map(quantityOfName));
  if (quantities.has("rateHz") && quantities.has("current")) {
    throw dataError(`${names.join(", ")} of ${source} look like rates and currents mixed; use one kind for all tasks`);
  }
  return { names, quantity: [...quantities].find((quantity) => quantity !== undefined), notes: [] };
}

/**
 * The arrays to use as tasks: those named, else the rates, else the currents, else the only matrix there is.
 *
 * @param quantity restricts the choice to rates or currents.
 * @throws UserError listing the candidates when the choice is not clear.
 */
export function chooseArrays(
  all: readonly Candidate[],
  source: string,
  options: { datasets?: readonly string[]; quantity?: Recording["quantity"] },
): Choice {
  if (options.datasets !== undefined) return given(all, options.datasets, source);
  const arrays = all
    .filter(({ numeric, shape }) => numeric && (shape.length === 2 || shape.length === 3))
    .filter(({ name, shape }) => vectorLength(shape) === undefined || !isTimeName(name))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  if (arrays.length === 0) {
    throw dataError(
      `${source} holds no matrix of numbers to train on (neurons x rows, or tasks x neurons x rows); it holds ` +
        listed(all),
    );
  }
  const of = (quantity: Recording["quantity"] | undefined): Candidate[] =>
    arrays.filter(({ name }) => quantityOfName(name) === quantity && (arrays.length === 1 || !spreadName.test(name)));
  const unknown = of(undefined);
  const order = options.quantity === undefined ? (["rateHz", "current"] as const) : [options.quantity];
  const quantity = order.find((one) => of(one).length > 0);
  const chosen = quantity === undefined ? unknown : of(quantity);
  const clear = chosen.length === 1 || (quantity !== undefined && sameShape(chosen) && chosen[0].shape.length === 2);
  if (!clear) {
    throw dataError(
      `it is not clear which arrays of ${source} are the targets: ${listed(chosen.length > 0 ? chosen : arrays)}; name ` +
        "them by targets.datasets, one per task",
    );
  }
  const names = chosen.map(({ name }) => name);
  const others = arrays.filter((array) => !chosen.includes(array)).map(({ name }) => name);
  const notes =
    others.length === 0
      ? []
      : [
          `took ${names.join(", ")} as ${quantity === "rateHz" ? "rates in Hz" : "targets"}; left out ${others.join(", ")}`,
        ];
  return { names, quantity, notes };
}
