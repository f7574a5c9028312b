import { describe, expect, it } from "vitest";
import { boxMuller } from "./box-muller.ts";
import { Philox, philox4x32 } from "./philox.ts";
import { multiplyHigh, philoxBlocks } from "./philox-rounds.ts";
import { streamKind, streamOf } from "./streams.ts";

const hex = (words: Iterable<number>) => Array.from(words, (word) => word.toString(16).padStart(8, "0")).join(" ");

describe("philox4x32", () => {
  // kat_vectors of Random123 1.14: philox4x32 10 <counter> <key> <result>
  it.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("knows the answer for counter %j", (counter, key, answer) => {
    const out = new Uint32Array(4);
    philox4x32(Uint32Array.from(counter), Uint32Array.from(key), out);
    expect(hex(out)).toBe(answer);
  });

  it("does nothing in 0 rounds and may write over its counter", () => {
    const words = Uint32Array.of(1, 2, 3, 4);
    philox4x32(words, new Uint32Array(2), words, 0);
    expect([...words]).toEqual([1, 2, 3, 4]);
    philox4x32(new Uint32Array(4), new Uint32Array(2), words);
    const zero = new Uint32Array(4);
    philox4x32(zero, new Uint32Array(2), zero);
    expect(zero).toEqual(words);
  });
});

it("multiplyHigh is the upper half of the product", () => {
  const words = [0, 1, 2, 0xffff, 0x10000, 0x12345678, 0x7fffffff, 0x80000000, 0xdeadbeef, 0xffffffff];
  for (const a of words) {
    for (const b of words) expect(multiplyHigh(a, b) >>> 0).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
  }
});

it("philoxBlocks equals the plain form, across the carry into the second word too", () => {
  for (const [first, count] of [
    [0, 6],
    [7, 5],
    [2 ** 32 - 3, 8],
    [2 ** 51 + 2 ** 32 - 2, 4],
  ]) {
    const words = new Uint32Array(4 * (count + 1));
    philoxBlocks(first, count, 0x89abcdef, 0xfedcba98, 0xffffffff, 0x1fffff, words);
    for (let i = 0; i < count; i++) {
      const block = new Uint32Array(4);
      const b = first + i;
      philox4x32(
        Uint32Array.of(b % 2 ** 32, Math.floor(b / 2 ** 32), 0x89abcdef, 0xfedcba98),
        Uint32Array.of(0xffffffff, 0x1fffff),
        block,
      );
      expect(words.subarray(4 * i, 4 * i + 4)).toEqual(block);
    }
  }
});

describe("Philox", () => {
  const seed = 2 ** 53 - 12345;
  const stream = streamOf(streamKind.test, 2 ** 39 + 17);
  const source = new Philox(seed);

  /** Block b of a lane by the plain form and the documented layout. */
  function block(lane: number, b: number): Uint32Array {
    const out = new Uint32Array(4);
    const counter = [
      b % 2 ** 32,
      Math.floor(b / 2 ** 32),
      stream % 2 ** 32,
      Math.floor(stream / 2 ** 32) + lane * 2 ** 21,
    ];
    philox4x32(Uint32Array.from(counter), Uint32Array.of(seed % 2 ** 32, Math.floor(seed / 2 ** 32)), out);
    return out;
  }
  const uniformOf = (high: number, low: number) => Number((BigInt(high) << 21n) | BigInt(low >>> 11)) / 2 ** 53;

  it("follows its documented layout", () => {
    for (const start of [0, 5, 2 ** 33 + 1, 2 ** 53 - 8]) {
      const uniforms = new Float64Array(4);
      const normals = new Float64Array(4);
      source.uniform(stream, start, uniforms);
      source.normal(stream, start, normals);
      for (let j = 0; j < 4; j++) {
        const b = Math.floor((start + j) / 2);
        const half = (start + j) % 2;
        const u = block(0, b);
        expect(uniforms[j]).toBe(uniformOf(u[2 * half], u[2 * half + 1]));
        const n = block(1, b);
        const pair = new Float64Array(2);
        boxMuller(uniformOf(n[0], n[1]), uniformOf(n[2], n[3]), pair, 0);
        expect(normals[j]).toBe(pair[half]);
      }
    }
  });

  it("gives the same values in pieces as at once", () => {
    const whole = new Float64Array(1500);
    const pieces = new Float64Array(1500);
    for (const fill of [source.uniform.bind(source), source.normal.bind(source)]) {
      fill(stream, 3, whole);
      for (let at = 0, size = 0; at < pieces.length; at += size) {
        size = Math.min(pieces.length - at, (size * 7 + 1) % 411);
        fill(stream, 3 + at, pieces.subarray(at, at + size));
        fill(stream + 1, at, new Float64Array(3)); // other draws in between do not matter
      }
      expect(pieces).toEqual(whole);
    }
  });

  it("takes nothing for an empty array", () => {
    source.uniform(stream, 9, new Float64Array(0));
    source.normal(stream, 9, new Float64Array(0));
  });

  it("keeps these values for ever", () => {
    const out = new Float64Array(3);
    const one = new Philox(1);
    one.uniform(streamOf(streamKind.startVoltage, 7), 10, out);
    expect([...out]).toMatchInlineSnapshot(`
      [
        0.5200476786893893,
        0.3559616557480725,
        0.18148844331085057,
      ]
    `);
    one.normal(streamOf(streamKind.startVoltage, 7), 10, out);
    expect([...out]).toMatchInlineSnapshot(`
      [
        2.1468201834897784,
        1.0907309790951272,
        0.010903841358169067,
      ]
    `);
    expect([...one.sample(streamOf(streamKind.static, 7), 1000, 6)]).toMatchInlineSnapshot(`
      [
        595,
        133,
        754,
        970,
        856,
        824,
      ]
    `);
    expect([...one.sample(streamOf(streamKind.static, 7), 20, 6)]).toMatchInlineSnapshot(`
      [
        11,
        3,
        15,
        19,
        17,
        4,
      ]
    `);
    expect([...one.sample(streamOf(streamKind.static, 7), 3_000_000, 4)]).toMatchInlineSnapshot(`
      [
        1786568,
        400246,
        2263617,
        2910425,
      ]
    `);
  });

  it("refuses seeds, streams and values out of range", () => {
    for (const bad of [-1, 0.5, NaN, 2 ** 53]) {
      expect(() => new Philox(bad)).toThrow(`seed ${bad} cannot be used`);
      expect(() => source.uniform(bad, 0, new Float64Array(1))).toThrow(RangeError);
      expect(() => source.normal(0, bad, new Float64Array(1))).toThrow(RangeError);
      expect(() => source.sample(bad, 1, 1)).toThrow(RangeError);
    }
    expect(() => source.uniform(0, 2 ** 53 - 1, new Float64Array(1))).toThrow(RangeError);
  });
});

describe("boxMuller", () => {
  it("is the formula, with the plain functions of the engine", () => {
    const out = new Float64Array(2);
    for (let i = 0; i < 4000; i++) {
      const u = (i * 0.6180339887498949) % 1;
      const v = i / 4000;
      boxMuller(u, v, out, 0);
      const radius = Math.sqrt(-2 * Math.log(1 - u));
      expect(Math.abs(out[0] - radius * Math.cos(2 * Math.PI * v))).toBeLessThan(3e-15);
      expect(Math.abs(out[1] - radius * Math.sin(2 * Math.PI * v))).toBeLessThan(3e-15);
    }
  });

  it("is finite at both ends", () => {
    const out = new Float64Array(2);
    boxMuller(1 - 2 ** -53, 0, out, 0);
    expect(out[0]).toBeCloseTo(Math.sqrt(106 * Math.LN2), 14);
    boxMuller(0, 1 - 2 ** -53, out, 0);
    expect(Array.from(out, Math.abs)).toEqual([0, 0]);
  });
});

describe("streamOf", () => {
  it("numbers streams as the golden file does", () => {
    expect(streamOf(streamKind.static, 5)).toBe(2 ** 40 + 5);
    expect(streamOf(2 ** 13 - 1, 2 ** 40 - 1)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("refuses what does not fit", () => {
    for (const [kind, index] of [
      [2 ** 13, 0],
      [1, 2 ** 40],
      [1, -1],
      [0.5, 0],
      [1, NaN],
    ]) {
      expect(() => streamOf(kind, index)).toThrow(RangeError);
    }
  });

  it("has one number per kind", () => {
    const kinds = Object.values(streamKind);
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});
