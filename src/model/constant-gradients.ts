/**
 * From gradients by the constants of a step (decay factors and the like) to gradients by the parameters behind them:
 * dL/dp = sum over constants c of dL/dc dc/dp.
 */

import { constant } from "../expression/build.ts";
import { adjoints } from "../expression/derivative.ts";
import type { Expression, Leaf } from "../expression/node.ts";
import type { PerNeuron } from "./define.ts";
import { evaluateOverParameters, type HoistedModel } from "./hoist.ts";

/**
 * @param parameters of all neurons, by name. @param byConstant dL/dc, n values each, by the name of the constant
 * @returns dL/dp by trainable parameter, n values each
 */
export function constantGradients(
  split: HoistedModel,
  trainable: readonly string[],
  parameters: Readonly<Record<string, PerNeuron>>,
  dtMs: number,
  n: number,
  byConstant: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, Float64Array<ArrayBuffer>> {
  const result: Record<string, Float64Array<ArrayBuffer>> = {};
  for (const name of trainable) {
    const total = new Float64Array(n);
    for (const [constantName, gradient] of Object.entries(byConstant)) {
      const slope = slopeOf(split, constantName, name);
      if (slope.op === "constant" && slope.value === 0) continue;
      const { slope: values } = evaluateOverParameters([{ name: "slope", expression: slope }], parameters, dtMs, n);
      for (let i = 0; i < n; i++) total[i] += gradient[i] * (typeof values === "number" ? values : values[i]);
    }
    result[name] = total;
  }
  return result;
}

/** d(constant)/d(parameter) */
function slopeOf(split: HoistedModel, name: string, parameterName: string): Expression {
  const entry = split.hoisted.find((h) => h.name === name);
  if (entry === undefined) return constant(name === parameterName ? 1 : 0);
  for (const [leaf, slope] of adjoints([{ output: entry.expression, adjoint: 1 }])) {
    if ((leaf as Leaf).name === parameterName) return slope;
  }
  return constant(0);
}
