import { describe, expect, test } from "vitest";
import { UserError } from "../../base/errors.ts";
import { readNpy, writeNpy } from "./npy.ts";
import { readNpz, writeNpz } from "./npz.ts";
import { toFloat64 } from "./numeric-array.ts";

/** A .npy file with a header written by hand. */
function npy(dict: string, values: ArrayLike<number>, version = 1): Uint8Array {
  const text = new TextEncoder().encode(`${dict}\n`);
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    version,
    0,
    ...length,
    ...text,
    ...Array.from(values),
  ]);
}

function header(descr: string, shape: string, fortran = false): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${shape}, }`;
}

function bytesOf(values: readonly number[], size: number, set: (view: DataView, at: number, value: number) => void) {
  const view = new DataView(new ArrayBuffer(values.length * size));
  values.forEach((value, i) => {
    set(view, i * size, value);
  });
  return new Uint8Array(view.buffer);
}

describe("readNpy", () => {
  const cases: [string, number, (view: DataView, at: number, value: number, little: boolean) => void, number[]][] = [
    ["i1", 1, (v, at, x) => v.setInt8(at, x), [-128, 0, 127]],
    ["u1", 1, (v, at, x) => v.setUint8(at, x), [0, 7, 255]],
    ["i2", 2, (v, at, x, le) => v.setInt16(at, x, le), [-32768, 1, 300]],
    ["u2", 2, (v, at, x, le) => v.setUint16(at, x, le), [0, 1, 65535]],
    ["i4", 4, (v, at, x, le) => v.setInt32(at, x, le), [-5, 1, 2 ** 30]],
    ["u4", 4, (v, at, x, le) => v.setUint32(at, x, le), [0, 1, 2 ** 32 - 1]],
    ["i8", 8, (v, at, x, le) => v.setBigInt64(at, BigInt(x), le), [-5, 1, 2 ** 53]],
    ["u8", 8, (v, at, x, le) => v.setBigUint64(at, BigInt(x), le), [0, 1, 2 ** 53]],
    ["f4", 4, (v, at, x, le) => v.setFloat32(at, x, le), [-0.5, 1e-3, 3e38].map(Math.fround)],
    ["f8", 8, (v, at, x, le) => v.setFloat64(at, x, le), [-0.1, 1e-300, 1e300]],
  ];
  test.each(cases)("%s, both byte orders", (type, size, set, values) => {
    for (const little of [true, false]) {
      const bytes = bytesOf(values, size, (view, at, value) => set(view, at, value, little));
      const array = readNpy(npy(header(`${little ? "<" : ">"}${type}`, "(3,)"), bytes), "a.npy");
      expect([...toFloat64(array.data)]).toEqual(values);
      expect(array.shape).toEqual([3]);
    }
  });

  test("float16: 1, -2, the largest, the smallest, infinity, NaN", () => {
    const bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x7e00];
    const bytes = bytesOf(bits, 2, (view, at, value) => view.setUint16(at, value, true));
    const { data } = readNpy(npy(header("<f2", "(6,)"), bytes), "a.npy");
    expect([...data]).toEqual([1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY, Number.NaN]);
  });

  test("bool, a single number, an empty array, versions 2 and 3, Python 2's long integers", () => {
    expect([...readNpy(npy(header("|b1", "(2,)"), [1, 0]), "a").data]).toEqual([1, 0]);
    expect(readNpy(npy(header("|u1", "()"), [9]), "a")).toMatchObject({ shape: [], data: new Uint8Array([9]) });
    expect(readNpy(npy(header("|u1", "(0, 3)"), []), "a").shape).toEqual([0, 3]);
    expect(readNpy(npy(header("|u1", "(2,)"), [4, 5], 2), "a").data[1]).toBe(5);
    expect(readNpy(npy(header("|u1", "(2,)"), [4, 5], 3), "a").data[0]).toBe(4);
    expect(readNpy(npy(header("|u1", "(2L, 1L)"), [4, 5]), "a").shape).toEqual([2, 1]);
  });

  test("Fortran order is turned to C order, in two and three dimensions", () => {
    // np.arange(6).reshape(2, 3) stored by columns
    expect([...readNpy(npy(header("|u1", "(2, 3)", true), [0, 3, 1, 4, 2, 5]), "a").data]).toEqual([0, 1, 2, 3, 4, 5]);
    // np.arange(8).reshape(2, 2, 2)
    const cube = readNpy(npy(header("|u1", "(2, 2, 2)", true), [0, 4, 2, 6, 1, 5, 3, 7]), "a");
    expect([...cube.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test.each([
    ["|O", /Python objects \(a pickle/],
    ["<c16", /complex numbers/],
    ["<U5", /holds text/],
    ["<M8[ns]", /holds dates/],
    ["<f16", /type "<f16"/],
  ])("refuses %s", (descr, message) => {
    expect(() => readNpy(npy(header(descr, "(1,)"), new Array(16).fill(0)), "a.npy")).toThrow(message);
  });

  test("refuses structured arrays, wrong lengths, huge claims and damaged headers", () => {
    const structured = "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,), }";
    expect(() => readNpy(npy(structured, new Array(8).fill(0)), "a.npy")).toThrow(/structured array/);
    expect(() => readNpy(npy(header("|u1", "(4,)"), [1, 2, 3]), "a.npy")).toThrow(/has 3 bytes .* truncated/);
    expect(() => readNpy(npy(header("|u1", "(2,)"), [1, 2, 3]), "a.npy")).toThrow(/damaged/);
    expect(() => readNpy(npy(header("<f8", "(99999999, 99999999)"), []), "a.npy")).toThrow(UserError);
    expect(() => readNpy(npy("{'descr': '<f8'}", []), "a.npy")).toThrow(/damaged \.npy header/);
    expect(() => readNpy(new Uint8Array([1, 2]), "a.npy")).toThrow(/not a \.npy file/);
    expect(() => readNpy(npy(header("|u1", "(2,)"), [1, 2], 9), "a.npy")).toThrow(/version 9/);
  });

  test("what writeNpy wrote comes back, aligned to 64 bytes", () => {
    for (const data of [
      new Float64Array([1.5, -2, 3, 4]),
      new Int16Array([1, 2, 3, -4]),
      new BigUint64Array(4).fill(9n),
    ]) {
      const bytes = writeNpy(data, [2, 2]);
      expect((bytes.length - data.byteLength) % 64).toBe(0);
      expect(readNpy(bytes, "a.npy")).toMatchObject({ shape: [2, 2], data });
    }
    expect(() => writeNpy(new Float64Array(3), [2, 2])).toThrow(/cannot write 3 values as an array of 2 x 2/);
  });
});

describe("npz", () => {
  const bytes = writeNpz({ a: { data: new Float64Array([1, 2]) }, b: { data: new Uint8Array(6), shape: [2, 3] } });

  test("round trip, and the same arrays give the same bytes", () => {
    expect(readNpz(bytes, "f.npz").map(({ name, shape }) => [name, shape])).toEqual([
      ["a", [2]],
      ["b", [2, 3]],
    ]);
    expect(readNpz(bytes, "f.npz", ["b"])).toHaveLength(1);
    expect(writeNpz({ a: { data: new Float64Array([1, 2]) }, b: { data: new Uint8Array(6), shape: [2, 3] } })).toEqual(
      bytes,
    );
  });

  test("a flipped bit of the data fails its checksum", () => {
    const bad = bytes.slice();
    bad[170] ^= 1;
    expect(() => readNpz(bad, "f.npz")).toThrow(/checksum|header/);
  });

  test("an archive that claims far more than it holds is not unpacked", () => {
    const bomb = bytes.slice();
    const view = new DataView(bomb.buffer);
    const end = bomb.length - 22;
    view.setUint32(view.getUint32(end + 16, true) + 24, 0x30000000, true);
    expect(() => readNpz(bomb, "f.npz")).toThrow(/claims 805 MB from 144 bytes; the archive is damaged/);
  });
});
