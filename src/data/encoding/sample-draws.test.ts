import { expect, it } from "vitest";
import { chiSquare, kolmogorovSmirnov } from "../../math/goodness-of-fit.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { below, SampleDraws } from "./sample-draws.ts";

const take = (draws: SampleDraws, count: number) => Array.from({ length: count }, () => draws.uniform());

it("gives the values of the stream of epoch, part and sample, over the ends of its blocks", () => {
  const draws = new SampleDraws(7, streamKind.augmentation);
  const expected = new Float64Array(600);
  new Philox(7).uniform(streamOf(streamKind.augmentation, (2 * 3 + 1) * 2 ** 23 + 12), 0, expected);
  draws.at(1, 1);
  take(draws, 5);
  expect(take(draws.at(3, 12, 1), 600)).toEqual([...expected]);
  const normals = new Float64Array(600);
  new Philox(7).normal(streamOf(streamKind.augmentation, (2 * 3 + 1) * 2 ** 23 + 12), 0, normals);
  expect(Array.from({ length: 600 }, () => draws.normal())).toEqual([...normals]);
});

it("keeps epochs, samples, parts, kinds and seeds apart", () => {
  const firsts = [
    new SampleDraws(7, streamKind.augmentation).at(0, 0),
    new SampleDraws(7, streamKind.augmentation).at(1, 0),
    new SampleDraws(7, streamKind.augmentation).at(0, 1),
    new SampleDraws(7, streamKind.augmentation).at(0, 0, 1),
    new SampleDraws(7, streamKind.encoding).at(0, 0),
    new SampleDraws(8, streamKind.augmentation).at(0, 0),
  ].map((draws) => draws.uniform());
  expect(new Set(firsts).size).toBe(6);
});

it("is uniform across samples and across epochs", () => {
  const draws = new SampleDraws(1, streamKind.test);
  const bySample = Array.from({ length: 2000 }, (_, i) => draws.at(3, i).uniform());
  const byEpoch = Array.from({ length: 2000 }, (_, i) => draws.at(i, 3).uniform());
  for (const values of [bySample, byEpoch]) expect(kolmogorovSmirnov(values, (x) => x)).toBeGreaterThan(1e-3);
  const counts = new Uint32Array(7);
  for (let i = 0; i < 7000; i++) counts[below(draws, 7)]++;
  expect(chiSquare(counts, new Float64Array(7).fill(1000))).toBeGreaterThan(1e-3);
});

it("refuses what has no stream", () => {
  const draws = new SampleDraws(1, streamKind.test);
  for (const bad of [-1, 0.5, 2 ** 23, NaN]) expect(() => draws.at(0, bad)).toThrow(`sample ${bad}`);
  for (const bad of [-1, 0.5, 2 ** 16, NaN]) expect(() => draws.at(bad, 0)).toThrow(`epoch ${bad}`);
});
