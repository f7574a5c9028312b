/**
 * The expression graph: what a neuron model's equations are made of.
 *
 * An `Expression` is a number that depends on leaves (parameters, states, inputs); a `Condition` is a truth value. Both
 * are immutable and *hash-consed*: building the same thing twice gives the same object, so `===` is structural equality,
 * and a sub-expression that occurs many times is one node of a directed acyclic graph (common sub-expressions cost
 * nothing). Nodes are kept for the life of the process; a model has some tens of them.
 *
 * Read and write them as sentences: `v.plus(dtMs.over(tauMemMs).times(current.minus(v)))` is v + (dt/tau)(I - v).
 * This file holds the nodes; `build.ts` makes them (and simplifies on the way).
 */

/** Where a leaf's value comes from. `hoisted`: computed once per parameter change, see `hoist.ts`. */
export type LeafKind = "parameter" | "state" | "input" | "hoisted";

export type NumberOp =
  | "constant"
  | LeafKind
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "neg"
  | "min"
  | "max"
  | "abs"
  | "sqrt"
  | "exp"
  | "log"
  | "select"
  | "spike"
  | "stopGradient";

export type ConditionOp = "truth" | "gt" | "ge" | "and" | "or" | "not";

/** A number to be put where an expression is expected. */
export type Operand = Expression | number;

/**
 * What stands in for the derivative of a spike, which is zero almost everywhere.
 * `derivative` gets x (the distance to threshold, x > 0 means spike) and returns the pseudo-derivative as an expression.
 */
export interface Surrogate {
  readonly name: string;
  readonly derivative: (x: Expression) => Expression;
  /** The derivative is exactly 0 where |x| > support; Infinity where it has tails. */
  readonly support: number;
}

/** Fluent operators; `build.ts` fills them in, so that nodes and rules live in two files without an import cycle. */
interface Operators {
  plus(a: Operand, b: Operand): Expression;
  minus(a: Operand, b: Operand): Expression;
  times(a: Operand, b: Operand): Expression;
  over(a: Operand, b: Operand): Expression;
  negated(a: Operand): Expression;
  gt(a: Operand, b: Operand): Condition;
  ge(a: Operand, b: Operand): Condition;
}

let operators: Operators;

/** @internal Called once, by `build.ts`. */
export function installOperators(implementation: Operators): void {
  operators = implementation;
}

/** A number. Made by the functions of `build.ts`, never by `new`. */
export class Expression {
  readonly kind = "number";
  /** Order of creation; a parent's id is larger than its arguments'. */
  readonly id: number;
  readonly op: NumberOp;
  readonly args: readonly Node[];
  /** Name of a leaf, else "". */
  readonly name: string;
  /** Value of a constant, else NaN. */
  readonly value: number;
  /** Of `spike` nodes that bring their own. */
  readonly surrogate: Surrogate | null;

  /** @internal */
  constructor(
    id: number,
    op: NumberOp,
    args: readonly Node[],
    name: string,
    value: number,
    surrogate: Surrogate | null,
  ) {
    this.id = id;
    this.op = op;
    this.args = args;
    this.name = name;
    this.value = value;
    this.surrogate = surrogate;
    Object.freeze(this);
  }

  /** this + other */
  plus(other: Operand): Expression {
    return operators.plus(this, other);
  }
  /** this - other */
  minus(other: Operand): Expression {
    return operators.minus(this, other);
  }
  /** this * other */
  times(other: Operand): Expression {
    return operators.times(this, other);
  }
  /** this / other */
  over(other: Operand): Expression {
    return operators.over(this, other);
  }
  /** -this */
  negated(): Expression {
    return operators.negated(this);
  }
  /** this > other */
  gt(other: Operand): Condition {
    return operators.gt(this, other);
  }
  /** this >= other */
  ge(other: Operand): Condition {
    return operators.ge(this, other);
  }
  /** this < other */
  lt(other: Operand): Condition {
    return operators.gt(other, this);
  }
  /** this <= other */
  le(other: Operand): Condition {
    return operators.ge(other, this);
  }
  toString(): string {
    return show(this);
  }
}

/** A truth value; use it in `select(condition, a, b)`. */
export class Condition {
  readonly kind = "condition";
  readonly id: number;
  readonly op: ConditionOp;
  readonly args: readonly Node[];
  /** Of `truth` nodes (a condition known at build time), else false. */
  readonly truth: boolean;

  /** @internal */
  constructor(id: number, op: ConditionOp, args: readonly Node[], truth: boolean) {
    this.id = id;
    this.op = op;
    this.args = args;
    this.truth = truth;
    Object.freeze(this);
  }

  toString(): string {
    return show(this);
  }
}

export type Node = Expression | Condition;

/** A named expression without arguments: its value is supplied from outside. */
export interface Leaf extends Expression {
  readonly op: LeafKind;
}

export function isLeaf(node: Node): node is Leaf {
  return node.op === "parameter" || node.op === "state" || node.op === "input" || node.op === "hoisted";
}

const infix: Partial<Record<Node["op"], string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  gt: ">",
  ge: ">=",
  and: "and",
  or: "or",
};

function show(node: Node): string {
  if (node.kind === "number" && node.op === "constant") return String(node.value);
  if (node.kind === "condition" && node.op === "truth") return String(node.truth);
  if (isLeaf(node)) return node.name;
  const parts = node.args.map(show);
  const sign = infix[node.op];
  return sign === undefined ? `${node.op}(${parts.join(", ")})` : `(${parts.join(` ${sign} `)})`;
}

/**
 * Every node that the roots need, arguments before those who use them; the order depends on the roots alone.
 * Without recursion, so that the depth of a graph (an unrolled adjoint) is not limited by the stack.
 */
export function topologicalOrder(roots: Iterable<Node>): Node[] {
  const order: Node[] = [];
  const entered = new Set<Node>();
  for (const root of roots) {
    if (entered.has(root)) continue;
    entered.add(root);
    const stack: { node: Node; next: number }[] = [{ node: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next === top.node.args.length) {
        order.push(top.node);
        stack.pop();
        continue;
      }
      const argument = top.node.args[top.next++];
      if (!entered.has(argument)) {
        entered.add(argument);
        stack.push({ node: argument, next: 0 });
      }
    }
  }
  return order;
}

/** The leaves the roots depend on, each once, in order of first use. */
export function leavesOf(roots: Iterable<Node>): Leaf[] {
  return topologicalOrder(roots).filter(isLeaf);
}
