/**
 * Symbolic derivatives: backwards from outputs to all leaves in one sweep (what gradient training needs), and forwards to
 * one leaf (`derivative`, which is the same sweep read at one place).
 *
 * Conventions where a derivative does not exist: |x| has 0 at 0; min and max give all to the first operand in a tie;
 * select lets the branch taken through and gives conditions none; spike(x) uses its surrogate; stopGradient(x) has none.
 */
import { add, constant, div, ge, mul, neg, select } from "./build.ts";
import {
  type Expression,
  isLeaf,
  type Leaf,
  type Node,
  type Operand,
  type Surrogate,
  topologicalOrder,
} from "./node.ts";

export interface DerivativeOptions {
  /** For spikes that bring no surrogate of their own. Default: such a spike is an error. */
  readonly surrogate?: Surrogate;
}

/** An output and how much the loss changes with it: dL/d(output). */
export interface Adjoint {
  readonly output: Expression;
  readonly adjoint: Operand;
}

/**
 * Reverse mode: given dL/d(output) for several outputs, dL/d(leaf) for every leaf they depend on.
 * dL/d(x) = sum over users u of x of dL/d(u) * du/dx, users before arguments.
 * A leaf that is not in the map has no influence.
 */
export function adjoints(seeds: readonly Adjoint[], options: DerivativeOptions = {}): Map<Leaf, Expression> {
  const total = new Map<Node, Expression>();
  const accumulate = (node: Node, amount: Expression): void => {
    const sum = total.get(node);
    total.set(node, sum === undefined ? amount : add(sum, amount));
  };
  for (const { output, adjoint } of seeds) accumulate(output, add(adjoint, 0));
  const order = topologicalOrder(seeds.map((seed) => seed.output));
  const leaves = new Map<Leaf, Expression>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const g = total.get(node);
    if (g === undefined || node.kind === "condition" || (g.op === "constant" && g.value === 0)) continue;
    if (isLeaf(node)) leaves.set(node, g);
    else push(node, g, accumulate, options);
  }
  return leaves;
}

/** Adds g * d(node)/d(argument) to every argument of the node. */
function push(
  node: Expression,
  g: Expression,
  to: (node: Node, amount: Expression) => void,
  options: DerivativeOptions,
): void {
  const [a, b] = node.args as Expression[];
  switch (node.op) {
    case "add":
      to(a, g);
      to(b, g);
      return;
    case "sub":
      to(a, g);
      to(b, neg(g));
      return;
    case "mul":
      to(a, mul(g, b));
      to(b, mul(g, a));
      return;
    case "div": {
      // d(a/b) = da/b - (a/b) db/b
      const share = div(g, b);
      to(a, share);
      to(b, neg(mul(share, node)));
      return;
    }
    case "neg":
      to(a, neg(g));
      return;
    case "min":
      to(a, select(ge(b, a), g, 0));
      to(b, select(ge(b, a), 0, g));
      return;
    case "max":
      to(a, select(ge(a, b), g, 0));
      to(b, select(ge(a, b), 0, g));
      return;
    case "abs":
      to(a, select(a.gt(0), g, select(a.lt(0), neg(g), 0)));
      return;
    case "sqrt":
      to(a, div(mul(g, 0.5), node));
      return;
    case "exp":
      to(a, mul(g, node));
      return;
    case "log":
      to(a, div(g, a));
      return;
    case "select": {
      const [condition, whenTrue, whenFalse] = node.args;
      if (condition.kind !== "condition") throw new Error("select without a condition");
      to(whenTrue, select(condition, g, 0));
      to(whenFalse, select(condition, 0, g));
      return;
    }
    case "stopGradient":
      return;
    case "spike": {
      const surrogate = node.surrogate ?? options.surrogate;
      if (surrogate === undefined) {
        throw new Error(`spike(${a}) has no surrogate derivative; pass one to spike() or in the options`);
      }
      to(a, mul(g, surrogate.derivative(a)));
    }
  }
}

/** d(expression)/d(leaf), by the same sweep with adjoint 1. */
export function derivative(expression: Expression, leaf: Expression, options: DerivativeOptions = {}): Expression {
  if (!isLeaf(leaf)) throw new Error(`${leaf} is not a leaf: derivatives are taken by parameter, state or input`);
  return adjoints([{ output: expression, adjoint: 1 }], options).get(leaf) ?? constant(0);
}
