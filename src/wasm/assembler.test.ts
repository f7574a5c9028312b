import { describe, expect, it } from "vitest";
import {
  callValue,
  f32,
  f32x4,
  horizontalSum,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64x2,
  ModuleBuilder,
  memory as memoryOps,
  v128,
} from "./assembler.ts";

function instantiate(module: ModuleBuilder) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  return { memory, exports: instance.exports as Record<string, (...args: number[]) => number> };
}

describe("the assembler", () => {
  it("runs the loop of its own documentation", () => {
    const module = new ModuleBuilder();
    module.function("scale", { from: "i32", bytes: "i32", factor: "f32" }, (f, { from, bytes, factor }) => {
      const end = f.let(i32.add(from, bytes));
      f.repeat(
        () => {
          f.push(v128.store(from, f32x4.mul(v128.load(from), f32x4.splat(factor))));
          f.advance(from, 16);
        },
        () => i32.ltU(from, end),
      );
    });
    const { memory, exports } = instantiate(module);
    const data = new Float32Array(memory.buffer, 64, 12).fill(3);
    exports.scale(64, 32, 2);
    expect([...data]).toEqual([6, 6, 6, 6, 6, 6, 6, 6, 3, 3, 3, 3]);
  });

  it("encodes constants of every size", () => {
    const numbers = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31)];
    const module = new ModuleBuilder();
    for (const [index, n] of numbers.entries()) {
      module.functionReturning(`c${index}`, {}, "i32", (f) => f.result(i32.const(n)));
    }
    const { exports } = instantiate(module);
    expect(numbers.map((_, index) => exports[`c${index}`]())).toEqual(numbers);
  });

  it("branches, calls and returns", () => {
    const module = new ModuleBuilder();
    const larger = module.functionReturning("larger", { a: "f32", b: "f32" }, "f32", (f, { a, b }) => {
      f.if(f32.gt(a, b), () => f.return(a));
      f.result(b);
    });
    module.functionReturning("largest", { a: "f32", b: "f32", c: "f32" }, "f32", (f, { a, b, c }) => {
      f.result(callValue(larger, { a, b: callValue(larger, { a: b, b: c }) }));
    });
    const { exports } = instantiate(module);
    expect(exports.largest(1, 5, 3)).toBe(5);
    expect(exports.largest(7, 5, 3)).toBe(7);
  });

  it("has the vector operations it names", () => {
    const module = new ModuleBuilder();
    module.function("run", {}, (f) => {
      const at = i32.const(0);
      const a = f.let(v128.load(at));
      f.push(v128.store(at, i64x2.extmulLowI32x4U(a, a), 16));
      f.push(v128.store(at, i32x4.extaddPairwiseI16x8U(i16x8.extaddPairwiseI8x16U(a)), 32));
      f.push(v128.store(at, i16x8.narrowI32x4S(i32x4.const(70000, -70000, 5, -6), a), 48));
      f.push(v128.store(at, v128.load16x4S(at, 48), 64));
      f.push(f32.store(at, horizontalSum(f, f32x4.convertI32x4S(i32x4.const(1, 2, 3, 4))), 80));
      f.push(v128.store(at, i8x16.shuffle(a, a, [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11]), 96));
      f.push(memoryOps.fill(i32.const(112), i32.const(7), i32.const(4)));
      f.push(memoryOps.copy(i32.const(116), i32.const(112), i32.const(4)));
    });
    const { memory, exports } = instantiate(module);
    const words = new Uint32Array(memory.buffer);
    words.set([0xffffffff, 0x01020304, 3, 4]);
    exports.run();
    expect(new BigUint64Array(memory.buffer)[2]).toBe(0xffffffffn ** 2n);
    expect([...words.subarray(8, 12)]).toEqual([4 * 255, 10, 3, 4]);
    expect([...new Int16Array(memory.buffer, 48, 4)]).toEqual([32767, -32768, 5, -6]);
    expect([...new Int32Array(memory.buffer, 64, 4)]).toEqual([32767, -32768, 5, -6]);
    expect(new Float32Array(memory.buffer)[20]).toBe(10);
    expect([...words.subarray(24, 28)]).toEqual([0x01020304, 0xffffffff, 4, 3]);
    expect(words[29]).toBe(0x07070707);
  });
});
