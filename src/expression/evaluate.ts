/**
 * Expressions in float64: compiled to a JavaScript function, or interpreted where a page forbids `new Function`.
 *
 * Both walk the same topological order with the same operations, so they give identical results, bit for bit, on every
 * JavaScript engine.
 */
import { exp, log } from "../math/elementary.ts";
import { type Expression, isLeaf, type Leaf, type Node, topologicalOrder } from "./node.ts";

/**
 * Computes all outputs.
 * @param values one number per leaf, in the order the leaves were given
 * @param results gets one number per output
 */
export type NumericFunction = (values: ArrayLike<number>, results: { [index: number]: number }) => void;

type Implementation = (a: number, b: number, c: number) => number;

/** What each operation does with numbers; conditions are 1 or 0. Source text and function side by side. */
const meaning: Record<string, { source: (a: string, b: string, c: string) => string; apply: Implementation }> = {
  add: { source: (a, b) => `${a} + ${b}`, apply: (a, b) => a + b },
  sub: { source: (a, b) => `${a} - ${b}`, apply: (a, b) => a - b },
  mul: { source: (a, b) => `${a} * ${b}`, apply: (a, b) => a * b },
  div: { source: (a, b) => `${a} / ${b}`, apply: (a, b) => a / b },
  neg: { source: (a) => `-${a}`, apply: (a) => -a },
  min: { source: (a, b) => `Math.min(${a}, ${b})`, apply: Math.min },
  max: { source: (a, b) => `Math.max(${a}, ${b})`, apply: Math.max },
  abs: { source: (a) => `Math.abs(${a})`, apply: Math.abs },
  sqrt: { source: (a) => `Math.sqrt(${a})`, apply: Math.sqrt },
  exp: { source: (a) => `exp(${a})`, apply: exp },
  log: { source: (a) => `log(${a})`, apply: log },
  select: { source: (a, b, c) => `${a} ? ${b} : ${c}`, apply: (a, b, c) => (a ? b : c) },
  stopGradient: { source: (a) => a, apply: (a) => a },
  spike: { source: (a) => `${a} > 0 ? 1 : 0`, apply: (a) => (a > 0 ? 1 : 0) },
  gt: { source: (a, b) => `${a} > ${b} ? 1 : 0`, apply: (a, b) => (a > b ? 1 : 0) },
  ge: { source: (a, b) => `${a} >= ${b} ? 1 : 0`, apply: (a, b) => (a >= b ? 1 : 0) },
  and: { source: (a, b) => `${a} & ${b}`, apply: (a, b) => a & b },
  or: { source: (a, b) => `${a} | ${b}`, apply: (a, b) => a | b },
  not: { source: (a) => `1 - ${a}`, apply: (a) => 1 - a },
};

function leafIndex(leaves: readonly Expression[]): (leaf: Leaf) => number {
  const index = new Map<Expression, number>(leaves.map((leaf, i) => [leaf, i]));
  return (leaf) => {
    const found = index.get(leaf);
    if (found === undefined) throw new Error(`no value is given for the ${leaf.op} "${leaf.name}" of an expression`);
    return found;
  };
}

function literal(node: Node): string | null {
  if (node.kind === "condition") return node.op === "truth" ? String(Number(node.truth)) : null;
  if (node.op !== "constant") return null;
  return Object.is(node.value, -0) || node.value < 0
    ? `(${Object.is(node.value, -0) ? "-0" : node.value})`
    : String(node.value);
}

/** The JavaScript source of the function body, over `values`, `results`, `exp` and `log`; one line per node. */
export function printJs(outputs: readonly Expression[], leaves: readonly Expression[]): string {
  const indexOf = leafIndex(leaves);
  const text = new Map<Node, string>();
  const lines: string[] = [];
  for (const node of topologicalOrder(outputs)) {
    const fixed = literal(node);
    if (fixed !== null) {
      text.set(node, fixed);
      continue;
    }
    const variable = `x${text.size}`;
    const [a, b, c] = node.args.map((argument) => text.get(argument) as string);
    const source = isLeaf(node) ? `values[${indexOf(node)}]` : meaning[node.op].source(a, b, c);
    lines.push(`const ${variable} = ${source};${isLeaf(node) ? ` // ${node.name.replace(/\s/g, " ")}` : ""}`);
    text.set(node, variable);
  }
  for (const [i, output] of outputs.entries()) lines.push(`results[${i}] = ${text.get(output)};`);
  return lines.join("\n");
}

/** As `compileJs`, without generating code: slower, and allowed everywhere. */
export function interpret(outputs: readonly Expression[], leaves: readonly Expression[]): NumericFunction {
  const indexOf = leafIndex(leaves);
  const order = topologicalOrder(outputs);
  const slot = new Map<Node, number>(order.map((node, i) => [node, i]));
  const slots = new Float64Array(order.length);
  const program: { to: number; apply: Implementation; a: number; b: number; c: number }[] = [];
  const loads: { to: number; from: number }[] = [];
  for (const [to, node] of order.entries()) {
    if (node.kind === "condition" && node.op === "truth") slots[to] = Number(node.truth);
    else if (node.kind === "number" && node.op === "constant") slots[to] = node.value;
    else if (isLeaf(node)) loads.push({ to, from: indexOf(node) });
    else {
      const [a, b = a, c = a] = node.args.map((argument) => slot.get(argument) as number);
      program.push({ to, apply: meaning[node.op].apply, a, b, c });
    }
  }
  const wanted = outputs.map((output) => slot.get(output) as number);
  return (values, results) => {
    for (const { to, from } of loads) slots[to] = values[from];
    for (const { to, apply, a, b, c } of program) slots[to] = apply(slots[a], slots[b], slots[c]);
    for (let i = 0; i < wanted.length; i++) results[i] = slots[wanted[i]];
  };
}

/**
 * A function that computes the outputs in float64.
 * @param leaves every leaf the outputs depend on (more are allowed); the order of the `values` argument
 * @throws Error when a leaf is missing from the list
 */
export function compileJs(outputs: readonly Expression[], leaves: readonly Expression[]): NumericFunction {
  const key = `${outputs.map(({ id }) => id)} of ${leaves.map(({ id }) => id)}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const made = compileAnew(outputs, leaves);
  compiled.set(key, made);
  return made;
}

/** Nodes live as long as the process, and so do these: the same expressions are asked for again and again. */
const compiled = new Map<string, NumericFunction>();

function compileAnew(outputs: readonly Expression[], leaves: readonly Expression[]): NumericFunction {
  const source = printJs(outputs, leaves);
  try {
    // exp and log of ours, the same on every engine, are the only names the code does not get from its arguments.
    const make = new Function("exp", "log", `"use strict"; return (values, results) => {\n${source}\n};`);
    return make(exp, log) as NumericFunction;
  } catch (error) {
    // A content security policy without 'unsafe-eval' refuses code from text.
    if (error instanceof EvalError) return interpret(outputs, leaves);
    throw error;
  }
}

/** The value of one expression, leaves by name. For tests and single numbers; use `compileJs` in loops. */
export function evaluate(expression: Expression, values: Readonly<Record<string, number>>): number {
  const leaves = topologicalOrder([expression]).filter(isLeaf);
  const results = [0];
  interpret([expression], leaves)(
    leaves.map((leaf) => {
      if (!Object.hasOwn(values, leaf.name)) throw new Error(`no value is given for "${leaf.name}"`);
      return values[leaf.name];
    }),
    results,
  );
  return results[0];
}
