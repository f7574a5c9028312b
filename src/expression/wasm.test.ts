import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FunctionBuilder, f32x4, i32, ModuleBuilder, type V128, v128 } from "../wasm/assembler.ts";
import {
  abs,
  and,
  constant,
  type Expression,
  emitVector,
  exp,
  flushTiny,
  log,
  max,
  min,
  type Node,
  neg,
  not,
  or,
  select,
  spike,
  sqrt,
  state,
  type VectorOptions,
} from "./index.ts";
import { emitExp, emitLog } from "./vector-math.ts";

function run(emit: (f: FunctionBuilder, lane: (i: number) => V128) => V128[], columns: Float32Array[]): Float32Array[] {
  const n = columns[0].length;
  const module = new ModuleBuilder();
  let count = 0;
  module.function("run", { from: "i32", bytes: "i32", to: "i32" }, (f, { from, bytes, to }) => {
    const end = f.let(i32.add(from, bytes));
    f.repeat(
      () => {
        const results = emit(f, (i) => v128.load(from, i * n * 4));
        count = results.length;
        for (const [i, result] of results.entries()) f.push(v128.store(to, result, i * n * 4));
        f.advance(from, 16);
        f.advance(to, 16);
      },
      () => i32.ltU(from, end),
    );
  });
  const bytes = n * 4 * (columns.length + count);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  for (const [i, column] of columns.entries()) new Float32Array(memory.buffer, i * n * 4, n).set(column);
  const to = columns.length * n * 4;
  (instance.exports.run as (a: number, b: number, c: number) => void)(0, n * 4, to);
  return Array.from({ length: count }, (_, i) => new Float32Array(memory.buffer, to + i * n * 4, n).slice());
}

const [x, y, z] = [state("x"), state("y"), state("z")];

/** Outputs in float32 for columns of x, y, z. */
function vector(outputs: Node[], columns: Float32Array[], options?: VectorOptions): Float32Array[] {
  const names = ["x", "y", "z"];
  return run((f, lane) => emitVector(f, outputs, (leaf) => lane(names.indexOf(leaf.name)), options), columns);
}

const f = Math.fround;

describe("the WebAssembly printer", () => {
  const column = Float32Array.from([-2, -0.5, 0, 0.3, 1, 1.5, 2.25, 700]);
  const other = Float32Array.from([1, -0.5, 0.2, -7, 1, 1e-3, 4, 0.125]);

  it.each<[string, Expression, (a: number, b: number) => number]>([
    ["x + y", x.plus(y), (a, b) => f(a + b)],
    ["x - y", x.minus(y), (a, b) => f(a - b)],
    ["x y", x.times(y), (a, b) => f(a * b)],
    ["x / y", x.over(y), (a, b) => f(a / b)],
    ["-x", neg(x), (a) => -a],
    ["min", min(x, y), Math.min],
    ["max", max(x, y), Math.max],
    ["|x|", abs(x), Math.abs],
    ["sqrt |x|", sqrt(abs(x)), (a) => f(Math.sqrt(Math.abs(a)))],
    ["spike", spike(x), (a) => (a > 0 ? 1 : 0)],
    ["select >", select(x.gt(y), x, y), Math.max],
    [
      "select >=, and, or, not",
      select(or(and(x.ge(y), x.lt(1)), not(y.le(0.5))), x, 3),
      (a, b) => ((a >= b && a < 1) || !(b <= 0.5) ? a : 3),
    ],
    ["x y + x rounds twice", x.times(y).plus(x), (a, b) => f(f(a * b) + a)],
  ])("computes %s exactly", (_, expression, expected) => {
    const [got] = vector([expression], [column, other]);
    expect([...got].map((v) => v + 0)).toEqual([...column].map((a, i) => expected(a, other[i]) + 0));
  });

  it("gives masks for conditions, and each output its own local", () => {
    const [mask, same, again] = vector([x.gt(0), x, x], [column, other]);
    expect([...new Int32Array(mask.buffer)]).toEqual([...column].map((a) => (a > 0 ? -1 : 0)));
    expect(same).toEqual(column);
    expect(again).toEqual(column);
  });

  it("computes a shared node once", () => {
    const shared = exp(x);
    const size = (outputs: Expression[]) => {
      const module = new ModuleBuilder();
      module.function("f", { at: "i32" }, (b, { at }) => {
        for (const value of emitVector(b, outputs, () => v128.load(at))) b.push(v128.store(at, value));
      });
      return module.toBytes().length;
    };
    expect(size([shared.plus(shared.times(3)), shared.minus(y)]) - size([shared])).toBeLessThan(100);
  });

  it("follows float64 on random equations", () => {
    const leaf = fc.constantFrom<Expression>(x, y, z, constant(0.5), constant(-1.25), constant(3));
    const { node } = fc.letrec<{ node: Expression }>((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.tuple(tie("node"), tie("node")).map(([a, b]) => a.plus(b)),
        fc.tuple(tie("node"), tie("node")).map(([a, b]) => a.minus(b)),
        fc.tuple(tie("node"), tie("node")).map(([a, b]) => a.times(b)),
        fc.tuple(tie("node"), tie("node")).map(([a, b]) => max(a, neg(b))),
        tie("node").map((a) => sqrt(abs(a))),
      ),
    }));
    // Twin: the same operations, each rounded to float32.
    const twin = (e: Expression, v: Record<string, number>): number => {
      const [a, b] = e.args.map((s) => twin(s as Expression, v));
      if (e.op === "constant") return f(e.value);
      if (e.op === "state") return v[e.name];
      if (e.op === "add") return f(a + b);
      if (e.op === "sub") return f(a - b);
      if (e.op === "mul") return f(a * b);
      if (e.op === "max") return Math.max(a, b);
      if (e.op === "min") return Math.min(a, b);
      if (e.op === "neg") return -a;
      if (e.op === "abs") return Math.abs(a);
      return f(Math.sqrt(a));
    };
    const third = Float32Array.from([0.1, 0.2, 0.3, 0.4, -0.1, -0.2, -0.3, -0.4]);
    fc.assert(
      fc.property(node, (e) => {
        const [got] = vector([e], [column, other, third]);
        for (let i = 0; i < 8; i++) {
          expect(got[i] + 0).toBe(twin(e, { x: column[i], y: other[i], z: third[i] }) + 0);
        }
      }),
      { numRuns: 200, seed: 4 },
    );
  });

  it("fuses only when told, and then stays close", (context) => {
    const probe = new ModuleBuilder();
    probe.functionReturning("probe", {}, "v128", (b) => {
      b.result(f32x4.relaxedMadd(v128.zero, v128.zero, v128.zero));
    });
    // Node 20 has no relaxed SIMD unless started with --experimental-wasm-relaxed-simd.
    if (!WebAssembly.validate(probe.toBytes())) return context.skip();
    const product = x.times(y);
    const outputs = [product.plus(z), x.times(3).minus(z), z.minus(x.times(y).plus(1)), neg(x).times(y).plus(z)];
    const relaxed = vector(outputs, [column, other, other], { relaxed: true });
    const plain = vector(outputs, [column, other, other]);
    for (const [k, fused] of relaxed.entries()) {
      for (let i = 0; i < 8; i++)
        expect(Math.abs(fused[i] - plain[k][i])).toBeLessThan(1e-6 * Math.max(1, 3 * Math.abs(column[i])));
    }
  });
});

describe("exp and log in float32", () => {
  it("exp is within 2e-7 on [-87, 88]", () => {
    const n = 1 << 20;
    const arguments_ = Float32Array.from({ length: n }, (_, i) => -87 + (175 * i) / (n - 1));
    const [got] = run((b, lane) => [emitExp(b, lane(0))], [arguments_]);
    let worst = 0;
    for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(got[i] / Math.exp(arguments_[i]) - 1));
    expect(worst).toBeLessThan(2e-7);
  });

  it("exp of small numbers keeps their slope, and the ends are right", () => {
    const at = Float32Array.from([
      0,
      -0,
      1e-7,
      -1e-4,
      -87.5,
      -1e30,
      Number.NEGATIVE_INFINITY,
      88.7,
      89,
      1e9,
      Infinity,
      NaN,
    ]);
    const [got] = run((b, lane) => [emitExp(b, lane(0))], [at]);
    expect([...got.slice(0, 2)]).toEqual([1, 1]);
    expect(got[2]).toBe(f(1 + 1e-7));
    expect(got[3]).toBeCloseTo(Math.exp(-1e-4), 7);
    expect([...got.slice(4, 7)]).toEqual([0, 0, 0]);
    expect(got[7] / Math.exp(at[7])).toBeCloseTo(1, 6);
    expect([...got.slice(8)]).toEqual([Infinity, Infinity, Infinity, NaN]);
  });

  it("log is within 2e-7 over all positive numbers, subnormal ones included", () => {
    const n = 1 << 20;
    const bits = Int32Array.from({ length: n }, (_, i) => 1 + Math.floor((i / n) * 0x7f7ffffe));
    const numbers = new Float32Array(bits.buffer);
    const near = Float32Array.from({ length: n }, (_, i) => 0.5 + (1.5 * i) / n);
    for (const sweep of [numbers, near]) {
      const [got] = run((b, lane) => [emitLog(b, lane(0))], [sweep]);
      let worst = 0;
      for (let i = 0; i < n; i++) {
        const truth = Math.log(sweep[i]);
        worst = Math.max(worst, truth === 0 ? Math.abs(got[i]) : Math.abs(got[i] / truth - 1));
      }
      expect(worst).toBeLessThan(2e-7);
    }
  });

  it("log has the limits of Math.log", () => {
    const at = Float32Array.from([0, -0, 1, Infinity, -1, -Infinity, NaN, 2]);
    const [got] = run((b, lane) => [emitLog(b, lane(0))], [at]);
    expect([...got]).toEqual([-Infinity, -Infinity, 0, Infinity, NaN, NaN, NaN, f(Math.LN2)]);
  });

  it("are what the printer uses", () => {
    const at = Float32Array.from([0.5, 1, 2, 3]);
    const [e, l] = vector([exp(x), log(x)], [at]);
    for (let i = 0; i < 4; i++) {
      expect(e[i]).toBeCloseTo(Math.exp(at[i]), 5);
      expect(l[i]).toBeCloseTo(Math.log(at[i]), 6);
    }
  });

  it("flushes what is too small to matter, and nothing else", () => {
    const at = Float32Array.from([1e-31, -1e-40, 1e-29, 0, -3, NaN, Infinity, 5e-45]);
    const [got] = run((b, lane) => [flushTiny(b.let(lane(0)))], [at]);
    expect([...got].map((v) => v + 0)).toEqual([0, 0, f(1e-29), 0, -3, NaN, Infinity, 0]);
  });
});
