import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  abs,
  adjoints,
  always,
  and,
  compileJs,
  constant,
  derivative,
  type Expression,
  evaluate,
  exp,
  ge,
  gt,
  hoist,
  input,
  interpret,
  leavesOf,
  log,
  max,
  min,
  mul,
  neg,
  never,
  not,
  or,
  parameter,
  printJs,
  select,
  spike,
  sqrt,
  state,
  sub,
  substitute,
  surrogates,
  topologicalOrder,
} from "./index.ts";

const x = state("x");
const y = input("y");
const tau = parameter("tau");
const dt = parameter("dt");

/** A random equation as a plain tree, independent of the graph: built with the constructors, computed with Math. */
type Tree = number | "x" | "y" | "z" | { op: string; args: Tree[] };

const leaf = fc.oneof(
  fc.constantFrom<Tree>("x", "y", "z"),
  fc.constantFrom<Tree>(0, 1, -1, 2, 0.5, -3, 0.1, 7),
) as fc.Arbitrary<Tree>;
const unary = ["neg", "abs", "sqrt", "exp", "log", "spike"];
const binary = ["add", "sub", "mul", "div", "min", "max", "choose"];
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.record({ op: fc.constantFrom(...unary), args: fc.tuple(tie("tree")) }),
    fc.record({ op: fc.constantFrom(...binary), args: fc.tuple(tie("tree"), tie("tree")) }),
  ) as fc.Arbitrary<Tree>,
}));

/** Domain-safe forms: sqrt and log of positive numbers, divisors away from 0, exponents bounded. */
function build(t: Tree): Expression {
  if (typeof t === "number") return constant(t);
  if (typeof t === "string") return state(t);
  const [a, b] = t.args.map(build);
  switch (t.op) {
    case "neg":
      return neg(a);
    case "abs":
      return abs(a);
    case "sqrt":
      return sqrt(abs(a).plus(0.5));
    case "exp":
      return exp(min(a, 3));
    case "log":
      return log(abs(a).plus(0.5));
    case "spike":
      return spike(a, surrogates.triangle());
    case "add":
      return a.plus(b);
    case "sub":
      return a.minus(b);
    case "mul":
      return a.times(b);
    case "div":
      return a.over(b.times(b).plus(1));
    case "min":
      return min(a, b);
    case "max":
      return max(a, b);
    default:
      return select(or(and(a.gt(0), b.le(1)), not(a.lt(b))), a, b);
  }
}

function compute(t: Tree, v: Record<string, number>): number {
  if (typeof t === "number") return t;
  if (typeof t === "string") return v[t];
  const [a, b] = t.args.map((s) => compute(s, v));
  switch (t.op) {
    case "neg":
      return -a;
    case "abs":
      return Math.abs(a);
    case "sqrt":
      return Math.sqrt(Math.abs(a) + 0.5);
    case "exp":
      return Math.exp(Math.min(a, 3));
    case "log":
      return Math.log(Math.abs(a) + 0.5);
    case "spike":
      return a > 0 ? 1 : 0;
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
      return a / (b * b + 1);
    case "min":
      return Math.min(a, b);
    case "max":
      return Math.max(a, b);
    default:
      return (a > 0 && b <= 1) || !(a < b) ? a : b;
  }
}

const values = fc.record({
  x: fc.double({ min: -2, max: 2, noNaN: true }),
  y: fc.double({ min: -2, max: 2, noNaN: true }),
  z: fc.double({ min: -2, max: 2, noNaN: true }),
});

describe("building", () => {
  it("gives one node for one meaning", () => {
    expect(x.plus(y)).toBe(x.plus(y));
    expect(exp(dt.negated().over(tau))).toBe(exp(dt.negated().over(tau)));
    expect(state("x")).not.toBe(parameter("x"));
    expect(spike(x)).not.toBe(spike(x, surrogates.boxcar()));
    const shared = x.times(y);
    expect(topologicalOrder([shared.plus(1), shared.minus(2)])).toHaveLength(7);
  });

  it.each<[string, Expression, Expression | number]>([
    ["constants fold", constant(2).times(3).plus(1).over(7), 1],
    ["x + 0", x.plus(0), x],
    ["0 + x", constant(0).plus(x), x],
    ["x - 0", x.minus(0), x],
    ["0 - x", sub(0, x), neg(x)],
    ["x - x", x.minus(x), 0],
    ["x * 1", x.times(1), x],
    ["x * 0", x.times(0), 0],
    ["x * -1", x.times(-1), neg(x)],
    ["x / 1", x.over(1), x],
    ["x / 4 is exact as a product", x.over(4), x.times(0.25)],
    ["x / x", x.over(x), 1],
    ["--x", neg(neg(x)), x],
    ["x + -y", x.plus(neg(y)), x.minus(y)],
    ["x - -y", x.minus(neg(y)), x.plus(y)],
    ["-x * -y", neg(x).times(neg(y)), x.times(y)],
    ["-(x - y)", neg(x.minus(y)), y.minus(x)],
    ["min(x, x)", min(x, x), x],
    ["|-x|", abs(neg(x)), abs(x)],
    ["|exp x|", abs(exp(x)), exp(x)],
    ["select on a known condition", select(gt(2, 1), x, y), x],
    ["select of the same", select(x.gt(y), x, x), x],
    ["select on not", select(not(x.gt(y)), x, y), select(x.gt(y), y, x)],
    ["spike of a constant", spike(constant(0)), 0],
  ])("simplifies %s", (_, given, expected) => {
    expect(given).toBe(typeof expected === "number" ? constant(expected) : expected);
  });

  it("keeps x / 3 and x / 0 as divisions: their reciprocals are not exact", () => {
    expect(x.over(3).op).toBe("div");
    expect(x.over(0).op).toBe("div");
  });

  it("folds conditions", () => {
    expect(and(always, x.gt(y))).toBe(x.gt(y));
    expect(and(never, x.gt(y))).toBe(never);
    expect(or(always, x.gt(y))).toBe(always);
    expect(not(not(x.gt(y)))).toBe(x.gt(y));
    expect(x.lt(y)).toBe(y.gt(x));
    expect(x.gt(x)).toBe(never);
    expect(ge(x, x)).toBe(always);
  });

  it("shows itself", () => {
    expect(String(x.plus(dt.over(tau).times(y.minus(x))))).toBe("(x + ((dt / tau) * (y - x)))");
    expect(String(select(x.gt(0), exp(x), 1))).toBe("select((x > 0), exp(x), 1)");
  });

  it("takes a long chain without exhausting the stack", () => {
    let chain: Expression = x;
    for (let i = 0; i < 20_000; i++) chain = chain.plus(mul(y, i + 2));
    expect(evaluate(chain, { x: 1, y: 0 })).toBe(1);
    expect(evaluate(derivative(chain, x), { x: 1, y: 0 })).toBe(1);
  });
});

describe("evaluation", () => {
  it("equals plain arithmetic, compiled and interpreted alike", () => {
    fc.assert(
      fc.property(tree, values, (t, v) => {
        const expression = build(t);
        const leaves = [state("x"), state("y"), state("z")];
        const [compiled, interpreted] = [[0], [0]];
        compileJs([expression], leaves)([v.x, v.y, v.z], compiled);
        interpret([expression], leaves)([v.x, v.y, v.z], interpreted);
        expect(interpreted[0]).toBe(compiled[0]);
        const expected = compute(t, v);
        // The rules may lose the sign of zero and round -(a*b) in another place, nothing else.
        expect(Math.abs(compiled[0] - expected)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(expected)));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it("prints one line per node", () => {
    expect(printJs([x.plus(dt.over(tau).times(y.minus(x)))], [x, y, dt, tau])).toMatchInlineSnapshot(`
      "const x0 = values[0]; // x
      const x1 = values[2]; // dt
      const x2 = values[3]; // tau
      const x3 = x1 / x2;
      const x4 = values[1]; // y
      const x5 = x4 - x0;
      const x6 = x3 * x5;
      const x7 = x0 + x6;
      results[0] = x7;"
    `);
  });

  it("interprets where a page forbids code from text", () => {
    function forbidden(): never {
      throw new EvalError("Refused to evaluate a string as JavaScript");
    }
    vi.stubGlobal("Function", forbidden);
    try {
      const results = [0, 0];
      compileJs([x.times(y), exp(x)], [x, y])([3, 4], results);
      expect(results).toEqual([12, evaluate(exp(x), { x: 3 })]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("names a leaf without a value", () => {
    expect(() => compileJs([x.plus(y)], [x])).toThrow('no value is given for the input "y"');
  });

  it("substitutes", () => {
    const [result] = substitute([x.plus(y)], (node) => (node === y ? constant(0) : null));
    expect(result).toBe(x);
  });
});

describe("hoisting", () => {
  const decay = exp(dt.negated().over(tau));

  it("takes out what depends on parameters alone", () => {
    const { hoisted, outputs } = hoist([x.times(decay).plus(y.times(constant(1).minus(decay)))]);
    expect(hoisted.map((h) => [h.name, h.expression])).toEqual([
      ["h0", decay],
      ["h1", constant(1).minus(decay)],
    ]);
    expect(String(outputs[0])).toBe("((x * h0) + (y * h1))");
  });

  it("leaves bare parameters and constants where they are", () => {
    const { hoisted, outputs } = hoist([x.minus(tau).times(2)]);
    expect(hoisted).toEqual([]);
    expect(outputs[0]).toBe(x.minus(tau).times(2));
  });

  it("hoists a whole output, and the sides of a constant comparison", () => {
    const { hoisted, outputs } = hoist([decay, select(tau.times(2).gt(dt), x, y)]);
    expect(hoisted.map((h) => String(h.expression))).toEqual([String(tau.times(2)), String(decay)]);
    expect(outputs.map(String)).toEqual(["h1", "select((h0 > dt), x, y)"]);
  });

  it("does not change values", () => {
    fc.assert(
      fc.property(tree, values, (t, v) => {
        // x is a state; y and z become parameters.
        const [expression] = substitute([build(t)], (node) =>
          node === state("y") || node === state("z") ? parameter(node.name) : null,
        );
        const { hoisted, outputs } = hoist([expression]);
        const known: Record<string, number> = { ...v };
        for (const { name, expression: part } of hoisted) {
          expect(leavesOf([part]).every((l) => l.op === "parameter")).toBe(true);
          known[name] = evaluate(part, v);
        }
        expect(evaluate(outputs[0], known)).toBe(evaluate(expression, v));
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});

describe("derivatives", () => {
  it.each<[string, Expression, Expression | number]>([
    ["x y", x.times(y), y],
    ["exp", exp(x), exp(x)],
    ["a decay by its time constant", x.plus(dt.over(tau).times(y.minus(x))), constant(1).minus(dt.over(tau))],
    ["what does not depend on it", y.times(tau), 0],
  ])("of %s", (_, given, expected) => {
    const d = derivative(given, x);
    for (let k = 1; k < 5; k++) {
      const at = { x: 0.3 * k, y: 1.1 - k, tau: 10 + k, dt: 0.1 };
      const wanted = typeof expected === "number" ? expected : evaluate(expected, at);
      expect(evaluate(d, at)).toBeCloseTo(wanted, 14);
    }
  });

  it("follow central differences in float64", () => {
    let compared = 0;
    fc.assert(
      fc.property(tree, values, (t, v) => {
        const expression = build(t);
        const gradient = adjoints([{ output: expression, adjoint: 1 }]);
        for (const name of ["x", "y", "z"] as const) {
          const at = (h: number) => evaluate(expression, { ...v, [name]: v[name] + h });
          const difference = (h: number) => (at(h) - at(-h)) / (2 * h);
          const [coarse, fine] = [difference(2e-5), difference(1e-5)];
          const magnitude = Math.abs(at(0));
          // At a kink, a jump, or where rounding hides the slope the differences themselves disagree: no statement there.
          const scale = Math.max(1, Math.abs(fine));
          if (!(Math.abs(coarse - fine) < 1e-6 * scale) || magnitude > 1e4 || touchesKink(t, v, name)) continue;
          const d = gradient.get(state(name) as never);
          const got = d === undefined ? 0 : evaluate(d, v);
          expect(Math.abs(got - fine)).toBeLessThan(2e-5 * scale);
          compared++;
        }
      }),
      { numRuns: 1000, seed: 3 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  it("put the surrogate in place of a spike's derivative", () => {
    const u = x.minus(1);
    const d = derivative(spike(u, surrogates.fastSigmoid(10)), x);
    expect(evaluate(d, { x: 1.2 })).toBeCloseTo(1 / 9, 14);
    expect(evaluate(derivative(spike(u), x, { surrogate: surrogates.triangle() }), { x: 1.2 })).toBeCloseTo(0.24, 14);
    expect(evaluate(derivative(spike(u, surrogates.boxcar()), x), { x: 1.6 })).toBe(0);
    expect(evaluate(derivative(spike(u, surrogates.arctan()), x), { x: 1 })).toBe(1);
    expect(() => derivative(spike(u), x)).toThrow("no surrogate");
  });

  it("run backwards over several outputs at once", () => {
    // L = p x' + q w' with x' = x (1 - k) + y, w' = x x'
    const k = dt.over(tau);
    const next = x.times(constant(1).minus(k)).plus(y);
    const w = x.times(next);
    const [p, q] = [input("p"), input("q")];
    const result = adjoints([
      { output: next, adjoint: p },
      { output: w, adjoint: q },
    ]);
    const at = { x: 0.7, y: 0.2, dt: 1, tau: 8, p: 1.5, q: -0.4 };
    const nextValue = 0.7 * (7 / 8) + 0.2;
    const gNext = 1.5 - 0.4 * 0.7;
    const of = (l: Expression) => evaluate(result.get(l as never) as Expression, at);
    expect(of(y)).toBeCloseTo(gNext, 14);
    expect(of(x)).toBeCloseTo(gNext * (7 / 8) - 0.4 * nextValue, 14);
    expect(of(tau)).toBeCloseTo((gNext * 0.7 * 1) / 64, 14);
  });
});

/** Whether a small change of the variable changes which branch anything takes, or a kink is nearer than 1e-3. */
function touchesKink(t: Tree, v: Record<string, number>, name: string): boolean {
  if (typeof t !== "object") return false;
  if (t.args.some((s) => touchesKink(s, v, name))) return true;
  const [a, b] = t.args.map((s) => compute(s, v));
  if (t.op === "spike") return true;
  if (["abs", "sqrt", "log"].includes(t.op)) return Math.abs(a) < 1e-3;
  if (t.op === "exp") return Math.abs(a - 3) < 1e-3;
  if (t.op === "min" || t.op === "max") return Math.abs(a - b) < 1e-3;
  if (t.op === "choose") return Math.min(Math.abs(a), Math.abs(b - 1), Math.abs(a - b)) < 1e-3;
  return false;
}
