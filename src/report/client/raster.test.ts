import { expect, test } from "vitest";
import { createBinner } from "./raster.ts";

const spikes = { steps: Uint32Array.of(1, 1, 5, 10), neurons: Uint32Array.of(0, 3, 3, 1) };
const whole = { stepLow: 0, stepHigh: 10, neuronLow: 0, neuronHigh: 4 };

test("spikes are counted where they belong: time to the right, neurons upwards", () => {
  const counts = createBinner(spikes).count(whole, 10, 4, 1, 1);
  const inked = [...counts.subarray(0, 40)].flatMap((c, i) => (c ? [[i % 10, Math.floor(i / 10), c]] : []));
  expect(inked).toEqual([
    [0, 0, 1],
    [4, 0, 1],
    [9, 2, 1],
    [0, 3, 1],
  ]);
});

test("spikes that share a pixel add up, and those out of view are left out", () => {
  const binner = createBinner(spikes);
  expect([...binner.count(whole, 1, 1, 1, 1).subarray(0, 1)]).toEqual([4]);
  expect([
    ...binner.count({ stepLow: 4, stepHigh: 9, neuronLow: 2, neuronHigh: 4 }, 1, 1, 1, 1).subarray(0, 1),
  ]).toEqual([1]);
});

test("large marks are cut at the edges", () => {
  const counts = createBinner({ steps: Uint32Array.of(10), neurons: Uint32Array.of(3) }).count(whole, 10, 4, 3, 3);
  expect(counts.subarray(0, 40).reduce((a, b) => a + b, 0)).toBe(1);
});

test("rates count each population in bins", () => {
  const { excitatory, inhibitory } = createBinner(spikes).rates(0, 10, 5, 2);
  expect([...excitatory]).toEqual([1, 1]);
  expect([...inhibitory]).toEqual([2, 0]);
});

test("pixels without spikes stay transparent, one spike is visible, populations differ in colour", () => {
  const binner = createBinner(spikes);
  binner.count(whole, 10, 4, 1, 1);
  const pixels = new Uint32Array(40);
  binner.paint(pixels, 10, 4, 2, [1, 2, 3], [4, 5, 6]);
  expect(pixels.filter((p) => p !== 0)).toHaveLength(4);
  expect(pixels[0].toString(16)).toBe("ff060504");
  expect(pixels[30].toString(16)).toBe("ff030201");
});
