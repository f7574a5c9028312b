import fc from "fast-check";
import { expect, test } from "vitest";
import { createDecoder } from "./client/decode.ts";
import { base64, encodeCurves, encodeFloats, encodeSpikes } from "./encode.ts";

const decoder = createDecoder();

test("bytes survive base64, also more than one block of them", () => {
  for (const length of [0, 1, 2, 3, 0x6000, 0x6001, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    expect(decoder.bytes(base64(bytes))).toEqual(bytes);
  }
});

test("float32 survive, what is not a number becomes a gap", () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: false })), (values) => {
      expect(decoder.floats(encodeFloats(values))).toEqual(values.map((v) => (Number.isFinite(v) ? v : null)));
    }),
  );
});

test("single trials survive to 1/65534 of their range", () => {
  const curves = [Float32Array.of(-3, 0, 5, Number.NaN), Float32Array.of(1, 2, 3, 4)];
  const encoded = encodeCurves(curves, 4);
  curves.forEach((curve, c) => {
    decoder.curve(encoded, c, 4).forEach((value, row) => {
      if (Number.isNaN(curve[row])) expect(value).toBeNull();
      else expect(Math.abs((value ?? Number.NaN) - curve[row])).toBeLessThanOrEqual(8 / 65534);
    });
  });
  expect(decoder.curve(encodeCurves([Float32Array.of(2, 2)], 2), 0, 2)).toEqual([2, 2]);
  expect(decoder.curve(encodeCurves([Float32Array.of(Number.NaN)], 1), 0, 1)).toEqual([null]);
});

test("spikes come back in time order, neurons ascending within a step", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 0, max: 299 })), { maxLength: 400 }),
      (list) => {
        const sorted = list.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
        const steps = Uint32Array.from(sorted, ([s]) => s);
        const neurons = Uint32Array.from(sorted, ([, n]) => n);
        expect(decoder.spikes(encodeSpikes(steps, neurons, 300))).toEqual({ steps, neurons });
      },
    ),
  );
});

test("spikes take about two bytes each at cortical rates", () => {
  // 1000 neurons, one spike every 200 ms of 0.1 ms steps, in turns.
  const steps = Uint32Array.from({ length: 10_000 }, (_, i) => 1 + 2 * i);
  const neurons = steps.map((_, i) => (i * 7) % 1000);
  expect(encodeSpikes(steps, neurons, 1000).bytes.length).toBeLessThan((4 / 3) * 2.2 * 10_000);
});
