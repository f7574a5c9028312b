/**
 * Separates what changes every step from what changes only with the parameters.
 *
 * A sub-expression without state and input, such as exp(-dt/tau), is computed once in float64 when parameters are set
 * and then looked up; in the rest it appears as a leaf of kind `hoisted`. The order of rounding stays the author's, so
 * hoisting does not change float64 results; in a float32 step it makes them better.
 */
import { hoisted as hoistedLeaf } from "./build.ts";
import { type Expression, isLeaf, type Node, topologicalOrder } from "./node.ts";
import { substitute } from "./substitute.ts";

export interface Hoisted {
  /** Name of the leaf that stands for it; `h0`, `h1` ... in order of first use, less the names of leaves of the outputs. */
  readonly name: string;
  /** Over parameters and constants only. */
  readonly expression: Expression;
}

export interface HoistResult {
  /** Computed once per parameter change, each independent of the others. */
  readonly hoisted: readonly Hoisted[];
  /** The outputs with those parts replaced by leaves of kind `hoisted`. */
  readonly outputs: readonly Expression[];
}

/** @param prefix of the names (default "h"). */
export function hoist(outputs: readonly Expression[], prefix = "h"): HoistResult {
  const order = topologicalOrder(outputs);
  const constantInTime = new Set<Node>();
  for (const node of order) {
    const fixed = isLeaf(node) ? node.op === "parameter" : node.args.every((argument) => constantInTime.has(argument));
    if (fixed) constantInTime.add(node);
  }
  // Worth hoisting: work (not a leaf, not a constant) that is constant in time and used by something that is not.
  const worth = (node: Node): node is Expression =>
    node.kind === "number" && constantInTime.has(node) && !isLeaf(node) && node.args.length > 0;
  const found = new Map<Expression, Hoisted>();
  // Engines tell constants apart by name: a parameter may be called h0 as well.
  const taken = new Set(order.filter(isLeaf).map((leaf) => leaf.name));
  let count = 0;
  const nextName = (): string => {
    const name = `${prefix}${count++}`;
    return taken.has(name) ? nextName() : name;
  };
  const take = (node: Node): void => {
    if (worth(node) && !found.has(node)) found.set(node, { name: nextName(), expression: node });
    // A condition constant in time stays in the step; the numbers it compares are hoisted.
    else if (node.kind === "condition" && constantInTime.has(node)) node.args.forEach(take);
  };
  for (const node of order) if (!constantInTime.has(node)) node.args.forEach(take);
  outputs.forEach(take);
  const leafOf = (node: Expression): Expression | null => {
    const entry = found.get(node);
    return entry === undefined ? null : hoistedLeaf(entry.name);
  };
  return { hoisted: [...found.values()], outputs: substitute(outputs, leafOf) };
}
