/**
 * Makes expressions. Each constructor simplifies on the spot, so every expression is in simplified form at any time and
 * there is no separate simplification pass:
 *
 * - constants are folded in float64; c1 op c2 never survives
 * - x+0, x-0, x*1, x/1, --x, x-x, 0*x, x/c with c a power of two (-> x*(1/c), exact), min(x,x), select(c,x,x) ...
 * - a comparison or a logical operation whose outcome is known becomes `truth`, and `select` on it picks its branch
 *
 * The rules hold for finite numbers. They may turn -0 into 0, and drop a NaN or an infinity that `0*x` or `x-x` would have
 * made. Nothing is reassociated (a+(b+c) stays) and operands are not swapped, so the order of rounding is the one that the
 * author wrote, and what is printed does not depend on which expressions were built before.
 */
import { exp as exactExp, log as exactLog } from "../math/elementary.ts";
import {
  Condition,
  type ConditionOp,
  Expression,
  installOperators,
  type LeafKind,
  type Node,
  type NumberOp,
  type Operand,
  type Surrogate,
} from "./node.ts";

const table = new Map<string, Node>();
const surrogateIds = new WeakMap<Surrogate, number>();
let surrogateCount = 0;
let nodeCount = 0;

function ids(args: readonly Node[]): string {
  let key = "";
  for (const argument of args) key += ` ${argument.id}`;
  return key;
}

function intern<T extends Node>(key: string, make: (id: number) => T): T {
  let node = table.get(key);
  if (node === undefined) {
    node = make(nodeCount++);
    table.set(key, node);
  }
  return node as T;
}

function numberNode(op: NumberOp, args: readonly Node[]): Expression {
  return intern(op + ids(args), (id) => new Expression(id, op, args, "", Number.NaN, null));
}

function conditionNode(op: ConditionOp, args: readonly Node[]): Condition {
  return intern(op + ids(args), (id) => new Condition(id, op, args, false));
}

function leaf(op: LeafKind, name: string): Expression {
  return intern(`${op} :${name}`, (id) => new Expression(id, op, [], name, Number.NaN, null));
}

/** A number known now. */
export function constant(value: number): Expression {
  const key = Object.is(value, -0) ? "constant -0" : `constant ${value}`;
  return intern(key, (id) => new Expression(id, "constant", [], "", value, null));
}

/** A value that stays the same during a run: one for all neurons or one per neuron. */
export const parameter = (name: string): Expression => leaf("parameter", name);
/** A value that a neuron carries from step to step. */
export const state = (name: string): Expression => leaf("state", name);
/** A value that arrives anew at every step. */
export const input = (name: string): Expression => leaf("input", name);
/** A value computed once per parameter change; made by `hoist`. */
export const hoisted = (name: string): Expression => leaf("hoisted", name);

export const always = intern("truth 1", (id) => new Condition(id, "truth", [], true));
export const never = intern("truth 0", (id) => new Condition(id, "truth", [], false));

const zero = constant(0);
const one = constant(1);

function lift(x: Operand): Expression {
  return typeof x === "number" ? constant(x) : x;
}

const isConstant = (x: Expression): boolean => x.op === "constant";
const is = (x: Expression, value: number): boolean => x.op === "constant" && x.value === value;

/** a + b */
export function add(left: Operand, right: Operand): Expression {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return constant(a.value + b.value);
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (b.op === "neg") return sub(a, b.args[0] as Expression);
  if (a.op === "neg") return sub(b, a.args[0] as Expression);
  return numberNode("add", [a, b]);
}

/** a - b */
export function sub(left: Operand, right: Operand): Expression {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return constant(a.value - b.value);
  if (is(b, 0)) return a;
  if (is(a, 0)) return neg(b);
  if (a === b) return zero;
  if (b.op === "neg") return add(a, b.args[0] as Expression);
  return numberNode("sub", [a, b]);
}

/** a * b */
export function mul(left: Operand, right: Operand): Expression {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return constant(a.value * b.value);
  if (is(a, 0) || is(b, 0)) return zero;
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  if (is(a, -1)) return neg(b);
  if (is(b, -1)) return neg(a);
  if (a.op === "neg" && b.op === "neg") return mul(a.args[0] as Expression, b.args[0] as Expression);
  if (a.op === "neg") return neg(mul(a.args[0] as Expression, b));
  if (b.op === "neg") return neg(mul(a, b.args[0] as Expression));
  return numberNode("mul", [a, b]);
}

/** True where 1/c and x*(1/c) are exact: c is a normal power of two in float32 range. */
function isPowerOfTwo(c: number): boolean {
  const exponent = Math.log2(Math.abs(c));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 120 && 2 ** exponent === Math.abs(c);
}

/** a / b */
export function div(left: Operand, right: Operand): Expression {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return constant(a.value / b.value);
  if (is(b, 1)) return a;
  if (is(b, -1)) return neg(a);
  if (is(a, 0)) return zero;
  if (a === b) return one;
  if (isConstant(b) && isPowerOfTwo(b.value)) return mul(a, 1 / b.value);
  if (a.op === "neg" && b.op === "neg") return div(a.args[0] as Expression, b.args[0] as Expression);
  if (a.op === "neg") return neg(div(a.args[0] as Expression, b));
  if (b.op === "neg") return neg(div(a, b.args[0] as Expression));
  return numberNode("div", [a, b]);
}

/** -a */
export function neg(operand: Operand): Expression {
  const a = lift(operand);
  if (isConstant(a)) return constant(-a.value);
  if (a.op === "neg") return a.args[0] as Expression;
  if (a.op === "sub") return sub(a.args[1] as Expression, a.args[0] as Expression);
  return numberNode("neg", [a]);
}

/** The smaller of a and b. */
export function min(left: Operand, right: Operand): Expression {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return constant(Math.min(a.value, b.value));
  return a === b ? a : numberNode("min", [a, b]);
}

/** The larger of a and b. */
export function max(left: Operand, right: Operand): Expression {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return constant(Math.max(a.value, b.value));
  return a === b ? a : numberNode("max", [a, b]);
}

/** |a| */
export function abs(operand: Operand): Expression {
  const a = lift(operand);
  if (isConstant(a)) return constant(Math.abs(a.value));
  if (a.op === "abs" || a.op === "exp" || a.op === "sqrt" || a.op === "spike") return a;
  return a.op === "neg" ? abs(a.args[0] as Expression) : numberNode("abs", [a]);
}

/** Square root; NaN below 0. */
export function sqrt(operand: Operand): Expression {
  const a = lift(operand);
  return isConstant(a) ? constant(Math.sqrt(a.value)) : numberNode("sqrt", [a]);
}

/** e to the power a. */
export function exp(operand: Operand): Expression {
  const a = lift(operand);
  return isConstant(a) ? constant(exactExp(a.value)) : numberNode("exp", [a]);
}

/** Natural logarithm; -Infinity at 0, NaN below. */
export function log(operand: Operand): Expression {
  const a = lift(operand);
  return isConstant(a) ? constant(exactLog(a.value)) : numberNode("log", [a]);
}

/** a where the condition holds, else b. Both are computed: a division by zero in the branch not taken does no harm. */
export function select(condition: Condition, whenTrue: Operand, whenFalse: Operand): Expression {
  const [a, b] = [lift(whenTrue), lift(whenFalse)];
  if (condition.op === "truth") return condition.truth ? a : b;
  if (a === b) return a;
  if (condition.op === "not") return select(condition.args[0] as Condition, b, a);
  return numberNode("select", [condition, a, b]);
}

/**
 * 1 where x > 0 (strictly), else 0.
 * @param surrogate stands in for its derivative; without one, `derivative` must be told which to use.
 */
export function spike(x: Operand, surrogate: Surrogate | null = null): Expression {
  const a = lift(x);
  if (isConstant(a)) return a.value > 0 ? one : zero;
  let number = 0;
  if (surrogate !== null) {
    number = surrogateIds.get(surrogate) ?? ++surrogateCount;
    surrogateIds.set(surrogate, number);
  }
  return intern(`spike/${number} ${a.id}`, (id) => new Expression(id, "spike", [a], "", Number.NaN, surrogate));
}

/** The value of a, through which no derivative passes. */
export function stopGradient(operand: Operand): Expression {
  const a = lift(operand);
  return isConstant(a) || a.op === "stopGradient" ? a : numberNode("stopGradient", [a]);
}

/** a > b */
export function gt(left: Operand, right: Operand): Condition {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return a.value > b.value ? always : never;
  return a === b ? never : conditionNode("gt", [a, b]);
}

/** a >= b */
export function ge(left: Operand, right: Operand): Condition {
  const [a, b] = [lift(left), lift(right)];
  if (isConstant(a) && isConstant(b)) return a.value >= b.value ? always : never;
  return a === b ? always : conditionNode("ge", [a, b]);
}

/** a < b */
export const lt = (a: Operand, b: Operand): Condition => gt(b, a);
/** a <= b */
export const le = (a: Operand, b: Operand): Condition => ge(b, a);

/** Both hold. */
export function and(a: Condition, b: Condition): Condition {
  if (a.op === "truth") return a.truth ? b : never;
  if (b.op === "truth") return b.truth ? a : never;
  if (a === b) return a;
  return conditionNode("and", [a, b]);
}

/** At least one holds. */
export function or(a: Condition, b: Condition): Condition {
  if (a.op === "truth") return a.truth ? always : b;
  if (b.op === "truth") return b.truth ? always : a;
  if (a === b) return a;
  return conditionNode("or", [a, b]);
}

/** Does not hold. */
export function not(a: Condition): Condition {
  if (a.op === "truth") return a.truth ? never : always;
  return a.op === "not" ? (a.args[0] as Condition) : conditionNode("not", [a]);
}

/** The node with other arguments, through the simplifying constructors. Constants and leaves come back as they are. */
export function rebuild(node: Node, args: readonly Node[]): Node {
  const [a, b, c] = args as Expression[];
  switch (node.op) {
    case "add":
      return add(a, b);
    case "sub":
      return sub(a, b);
    case "mul":
      return mul(a, b);
    case "div":
      return div(a, b);
    case "neg":
      return neg(a);
    case "min":
      return min(a, b);
    case "max":
      return max(a, b);
    case "abs":
      return abs(a);
    case "sqrt":
      return sqrt(a);
    case "exp":
      return exp(a);
    case "log":
      return log(a);
    case "select":
      return select(args[0] as Condition, b, c);
    case "spike":
      return spike(a, (node as Expression).surrogate);
    case "stopGradient":
      return stopGradient(a);
    case "gt":
      return gt(a, b);
    case "ge":
      return ge(a, b);
    case "and":
      return and(args[0] as Condition, args[1] as Condition);
    case "or":
      return or(args[0] as Condition, args[1] as Condition);
    case "not":
      return not(args[0] as Condition);
    default:
      return node;
  }
}

installOperators({ plus: add, minus: sub, times: mul, over: div, negated: neg, gt, ge });
