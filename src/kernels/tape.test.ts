import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bfloat16Bits, toBfloat16 } from "../../test/support/bfloat16.ts";
import { f32, i32, ModuleBuilder, v128 } from "../wasm/assembler.ts";
import { loadFromTape, loadOneFromTape, readTape, storeOnTape, type TapeFormat } from "./tape.ts";

const from = 0;
const tape = 64;
const [back, one] = [128, 192];

/** Four numbers onto a tape and back again, and the third alone. */
function throughTape(format: TapeFormat, numbers: ArrayLike<number>) {
  const module = new ModuleBuilder();
  module.function("run", {}, (f) => {
    storeOnTape(f, format, i32.const(0), f.let(v128.load(i32.const(from))), tape);
    f.push(v128.store(i32.const(back), loadFromTape(format, i32.const(0), tape)));
    const third = tape + 2 * (format === "float32" ? 4 : 2);
    f.push(f32.store(i32.const(one), loadOneFromTape(format, i32.const(third))));
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const whole = new Float32Array(memory.buffer);
  // What lies behind the numbers on the tape must stay.
  new Uint8Array(memory.buffer, tape, 32).fill(0xab);
  whole.set(numbers, from / 4);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  (exports.run as () => void)();
  const bytes = format === "float32" ? 16 : 8;
  return {
    bits: new Uint16Array(memory.buffer, tape, 4),
    back: whole.slice(back / 4, back / 4 + 4),
    read: readTape(format, memory.buffer, tape, 4),
    third: whole[one / 4],
    untouched: new Uint8Array(memory.buffer, tape + bytes, 32 - bytes).every((byte) => byte === 0xab),
  };
}

/** Any bits that an f32 can have, and numbers around those where two roundings are as near. */
const anyNumber = fc.oneof(
  fc.float(),
  fc.integer({ min: 0, max: 0xffff }).chain((upper) =>
    fc.constantFrom(0x7fff, 0x8000, 0x8001, 0, 1, 0xffff).map((lower) => {
      return new Float32Array(Uint32Array.of(upper * 0x10000 + lower).buffer)[0];
    }),
  ),
);

describe("numbers on a tape", () => {
  it("are what they were in float32", () => {
    const numbers = Float32Array.of(1.1, -3e-39, Number.POSITIVE_INFINITY, -0);
    const { back, third, read, untouched } = throughTape("float32", numbers);
    expect(back).toEqual(numbers);
    expect(read).toEqual(numbers);
    expect(third).toBe(numbers[2]);
    expect(untouched).toBe(true);
  });

  it("are rounded to the nearest bfloat16, to even, and come back as that; infinity and NaN stay", () => {
    let ties = 0;
    fc.assert(
      fc.property(fc.array(anyNumber, { minLength: 4, maxLength: 4 }), (numbers) => {
        const { bits, back, third, read, untouched } = throughTape("bfloat16", numbers);
        const wanted = numbers.map(toBfloat16);
        expect([...back]).toEqual(wanted);
        expect([...read]).toEqual(wanted);
        expect(third).toEqual(wanted[2]);
        for (const [i, x] of wanted.entries()) if (!Number.isNaN(x)) expect(bits[i]).toBe(bfloat16Bits(x));
        ties += wanted.filter((x, i) => x !== numbers[i] && Number.isFinite(x)).length;
        expect(untouched).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(ties).toBeGreaterThan(500);
  });

  it("rounds as IEEE 754 says: half to even, over the end to infinity, below half of the least to 0", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -8, 1],
      [1 + 3 * 2 ** -8, 1 + 2 ** -6],
      [-(1 + 2 ** -8) - 2 ** -23, -1 - 2 ** -7],
      [3.4028234663852886e38, Number.POSITIVE_INFINITY],
      [2 ** -134, 0],
      [1.5 * 2 ** -134, 2 ** -133],
      [-1e15, toBfloat16(-1e15)],
      [Number.NaN, Number.NaN],
    ];
    for (const [x, rounded] of cases) expect(throughTape("bfloat16", [x, 0, x, x]).third, `${x}`).toBe(rounded);
    // Its payload in the lower half alone, a NaN would round to infinity; with all bits, the carry would make it 0.
    for (const bits of [0x7f800001, 0x7fffffff, 0xffffffff]) {
      const nan = new Float32Array(Uint32Array.of(bits).buffer);
      expect(throughTape("bfloat16", [0, 0, nan[0], 0]).third).toBe(Number.NaN);
    }
  });
});
