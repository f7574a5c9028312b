import { expect, test } from "vitest";
import { population, stack, startsWith } from "../../../test/gradient/small-networks.ts";
import type { GradientNetwork } from "../gradient/spec.ts";
import type { InitialWeights } from "./descriptions.ts";
import { drawWeights, initialWeights, type Start } from "./draw.ts";
import { impliedMembrane } from "./implied.ts";

const rate = { meanHz: 10, perSourceHz: null };
const everywhere = (network: GradientNetwork) => network.projections.map(() => rate);
const relative = (a: number, b: number) => Math.abs(a / b - 1);
const deviation = (weights: ArrayLike<number>) => {
  const values = Array.from(weights);
  const mean = values.reduce((sum, w) => sum + w, 0) / values.length;
  return Math.sqrt(values.reduce((sum, w) => sum + (w - mean) ** 2, 0) / values.length);
};
const drawn = (initial: InitialWeights, network = stack(100, [population(200)])) =>
  initialWeights(network, startsWith(network, initial), 5, 10);

test("plain rules have the standard deviation that they are named for", () => {
  const gain = 1 - Math.exp(-1 / 20);
  for (const [initial, expected] of [
    [{ type: "normal" }, 0.1],
    [{ type: "uniform" }, 0.1 / Math.sqrt(3)],
    [{ type: "kaiming" }, Math.SQRT2 / 10],
    [{ type: "kaiming", gain: 1, distribution: "uniform" }, 0.1],
    [{ type: "glorot" }, Math.sqrt(2 / 300)],
    [{ type: "spyTorch" }, (7 * gain) / 10],
    [{ type: "fixed", mean: 1, sd: 0.5 }, 0.5],
    [{ type: "fixed", mean: 1, sd: 0.5, over: "fanIn", distribution: "uniform" }, 0.005],
    [{ type: "fixed", mean: 1, sd: 0.5, over: "rootFanIn" }, 0.05],
  ] satisfies [InitialWeights, number][]) {
    expect(relative(deviation(drawn(initial)[0]), expected)).toBeLessThan(0.02);
  }
  const bounded = drawn({ type: "kaiming", gain: 1, distribution: "uniform" })[0];
  expect(Math.max(...bounded.map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.1 * Math.sqrt(3)));
});

test("orthogonal: columns or rows, whichever are fewer, are orthonormal times the gain", () => {
  for (const [inputs, size] of [
    [30, 12],
    [12, 30],
    [20, 20],
  ]) {
    const [weights] = drawn({ type: "orthogonal", gain: 3 }, stack(inputs, [population(size)]));
    const [count, length] = inputs >= size ? [size, inputs] : [size, inputs].reverse();
    const entry = (v: number, i: number) => (inputs >= size ? weights[i * size + v] : weights[v * size + i]);
    for (let v = 0; v < count; v++) {
      for (let w = 0; w <= v; w++) {
        let dot = 0;
        for (let i = 0; i < length; i++) dot += entry(v, i) * entry(w, i);
        expect(Math.abs(dot - (v === w ? 9 : 0))).toBeLessThan(1e-5);
      }
    }
  }
  const sparse = stack(10, [population(10)]);
  const rows = {
    offsets: Uint32Array.from({ length: 11 }, (_, i) => i),
    targets: Uint32Array.from({ length: 10 }, (_, i) => i),
  };
  const network = {
    ...sparse,
    projections: sparse.projections.map((one, k) => (k === 0 ? { ...one, connectivity: rows } : one)),
  };
  expect(() => drawn({ type: "orthogonal" }, network)).toThrow(/is "orthogonal", which needs all connections/);
});

test("fluctuation: mean, sigma and share of the membrane are those aimed at, and xi says the same as sigma", () => {
  const network = stack(400, [population(300)], { recurrent: true });
  const starts = startsWith(network, { type: "fluctuation", mean: 0.1, xi: 2 });
  const weights = initialWeights(network, starts, 5, 10);
  const whole = impliedMembrane(network, weights, everywhere(network), 0);
  // The mean over neurons of means with a spread of its own.
  expect(Math.abs(whole.mean - 0.1)).toBeLessThan((4 * whole.spread) / Math.sqrt(300));
  expect(relative(whole.sigma, 0.45)).toBeLessThan(0.01);
  expect(relative(whole.xi, 2)).toBeLessThan(0.03);
  expect(relative(whole.spread, whole.independentSpread)).toBeLessThan(0.15);
  const fromBelow = impliedMembrane(network, weights, [rate, null, null], 0);
  expect(relative(fromBelow.sigma ** 2 / whole.sigma ** 2, 0.9)).toBeLessThan(0.01);
});

test("the spread over neurons: sigma ebar sqrt(nu / ehat), whatever the number of inputs", () => {
  for (const inputs of [100, 1000]) {
    const network = stack(inputs, [population(200)]);
    const weights = initialWeights(network, startsWith(network, { type: "fluctuation" }), 5, 10);
    const three = { meanHz: 3, perSourceHz: null };
    const { spread, independentSpread, sigma } = impliedMembrane(network, weights, [three, null], 0);
    expect(relative(independentSpread / sigma, 0.0105083 * Math.sqrt(3 / 0.0018419))).toBeLessThan(0.01);
    expect(relative(spread, independentSpread)).toBeLessThan(0.15);
  }
});

test("balanced rows: every neuron has the mean itself, with rates of every source, and sigma stays", () => {
  const network = stack(200, [population(100)]);
  const perSourceHz = Float64Array.from({ length: 200 }, (_, i) => (i % 5 === 0 ? 0 : i / 10));
  const meanHz = perSourceHz.reduce((sum, hz) => sum + hz, 0) / 200;
  const uneven = [{ meanHz, perSourceHz }, null];
  for (const mean of [0, 0.2]) {
    const starts = startsWith(network, { type: "fluctuation", balance: "rows", mean, rate: "sequential" });
    const weights = [drawWeights({ network, starts, seed: 5, rates: uneven }, 0), new Float32Array(200)];
    const membrane = impliedMembrane(network, weights, uneven, 0);
    expect(membrane.spread).toBeLessThan(1e-4);
    expect(membrane.independentSpread).toBeGreaterThan(0.5);
    expect(Math.abs(membrane.mean - mean)).toBeLessThan(1e-4);
    expect(relative(membrane.sigma, 1)).toBeLessThan(0.03);
  }
});

test("constants that differ between neurons: every column has a scale of its own", () => {
  const tauMemMs = Float32Array.from({ length: 100 }, (_, j) => (j < 50 ? 5 : 40));
  const threshold = Float32Array.from({ length: 100 }, (_, j) => (j % 2 === 0 ? 1 : 0.5));
  const network = stack(1000, [population(100, { tauMemMs, tauSynMs: 10, threshold })]);
  const [weights] = initialWeights(network, startsWith(network, { type: "fluctuation" }), 5, 10);
  for (const wanted of [0, 1, 50, 51]) {
    const column = weights.filter((_, w) => w % 100 === wanted);
    const alike = stack(1000, [population(100, { tauMemMs: tauMemMs[wanted], tauSynMs: 10 })]);
    const [reference] = initialWeights(alike, startsWith(alike, { type: "fluctuation" }), 5, 10);
    const same = reference.filter((_, w) => w % 100 === wanted);
    expect(relative(deviation(column), threshold[wanted] * deviation(same))).toBeLessThan(1e-5);
  }
});

test("sparse connections and shared weights: sigma is right on average, and inside the image", () => {
  const side = 12;
  const filters = 40;
  // A convolution of 3 x 3 over one channel, padded; positions times filters, channels last.
  const offsets = [0];
  const [weightRows, firstTargets]: [number[], number[]] = [[], []];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const [ty, tx] = [y - dy, x - dx];
          if (ty < 0 || tx < 0 || ty >= side || tx >= side) continue;
          weightRows.push((dy + 1) * 3 + dx + 1);
          firstTargets.push((ty * side + tx) * filters);
        }
      }
      offsets.push(weightRows.length);
    }
  }
  const shared = {
    width: filters,
    rows: 9,
    offsets: Uint32Array.from(offsets),
    weightRows: Uint32Array.from(weightRows),
    firstTargets: Uint32Array.from(firstTargets),
  };
  const dense = stack(side * side, [population(side * side * filters)]);
  const convolution = {
    ...dense,
    projections: [{ ...dense.projections[0], connectivity: shared }, dense.projections[1]],
  };
  const [weights] = initialWeights(convolution, startsWith(convolution, { type: "fluctuation" }), 5, 10);
  expect(weights.length).toBe(9 * filters);
  expect(relative(deviation(weights), 1 / Math.sqrt(9 * 10 * 0.0018419))).toBeLessThan(0.1);
  // At the border fewer inputs arrive.
  const { sigma } = impliedMembrane(convolution, [weights, new Float32Array(0)], [rate, null], 0);
  expect(relative(sigma, Math.sqrt(shared.weightRows.length / (9 * side * side)))).toBeLessThan(0.1);
  const balanced = startsWith(convolution, { type: "fluctuation", balance: "rows" });
  const even = initialWeights(convolution, balanced, 5, 10);
  expect(impliedMembrane(convolution, [even[0], new Float32Array(0)], [rate, null], 0).mean).toBeCloseTo(0, 5);
});

test("Dale's law: signs, mean 0, sigma and share of a layer with excitatory and inhibitory neurons", () => {
  const network = stack(700, [population(400)], { recurrent: true });
  const signs = Int8Array.from({ length: 400 }, (_, i) => (i < 320 ? 1 : -1));
  for (const distribution of ["exponential", "logNormal"] as const) {
    const starts: Start[] = [
      { initial: { type: "daleFluctuation", distribution }, signs: new Int8Array(700).fill(1) },
      { initial: { type: "daleFluctuation", distribution }, signs },
      { initial: { type: "normal" }, signs: null },
    ];
    const weights = initialWeights(network, starts, 5, 10);
    expect(weights[0].every((w) => w >= 0)).toBe(true);
    expect(weights[1].every((w, i) => w * signs[Math.floor(i / 400)] >= 0)).toBe(true);
    const { mean, sigma, spread } = impliedMembrane(network, weights, everywhere(network), 0);
    expect(Math.abs(mean)).toBeLessThan((4 * spread) / Math.sqrt(400));
    expect(relative(sigma, 1)).toBeLessThan(0.03);
    const variance = (k: number, keep: (source: number) => boolean) => {
      const part = weights.map((own, other) => own.map((w, i) => (other === k && keep(Math.floor(i / 400)) ? w : 0)));
      return impliedMembrane(network, part, everywhere(network), 0).sigma ** 2;
    };
    const below = variance(0, () => true);
    const back = variance(1, (source) => source < 320);
    expect(relative(below / (below + back), 0.9)).toBeLessThan(0.02);
  }
});

test("Dale's law with shared weights: signs belong to rows", () => {
  // Every source has a row of its own that reaches all targets.
  const [inputs, size] = [60, 200];
  const shared = {
    width: size,
    rows: inputs,
    offsets: Uint32Array.from({ length: inputs + 1 }, (_, i) => i),
    weightRows: Uint32Array.from({ length: inputs }, (_, i) => i),
    firstTargets: new Uint32Array(inputs),
  };
  const dense = stack(inputs, [population(size)]);
  const sharing = { ...dense, projections: [{ ...dense.projections[0], connectivity: shared }, dense.projections[1]] };
  const signs = Int8Array.from({ length: inputs }, (_, i) => (i % 4 === 0 ? -1 : 1));
  const starts: Start[] = [
    { initial: { type: "daleFluctuation" }, signs },
    { initial: { type: "normal" }, signs: null },
  ];
  const [weights] = initialWeights(sharing, starts, 5, 10);
  expect(weights.every((w, i) => w * signs[Math.floor(i / size)] >= 0)).toBe(true);
  expect(weights).toEqual(initialWeights(dense, starts, 5, 10)[0]);
});

test("what cannot be drawn is refused with what to do", () => {
  const network = stack(10, [population(5)], { recurrent: true });
  const drawing =
    (initial: InitialWeights, rateHz: number | null = 10, signs: Int8Array | null = null) =>
    () =>
      initialWeights(
        network,
        startsWith(network, initial).map((start) => ({ ...start, signs })),
        5,
        rateHz,
      );
  expect(drawing({ type: "fluctuation" }, null)).toThrow(
    /^the initial rule of "input-0" is .* no rate is known; give rate/,
  );
  expect(drawing({ type: "fluctuation" }, 0)).toThrow(/its sources never fire; raise sigma of the layer below/);
  expect(drawing({ type: "fluctuation", sigma: 1, xi: 1 })).toThrow(/has sigma and xi, which say the same/);
  expect(drawing({ type: "fluctuation", mean: 0.9, sigma: 0.01 })).toThrow(/raise sigma above/);
  expect(drawing({ type: "daleFluctuation" })).toThrow(/its sources have no signs; give the constraint "dale"/);
  expect(drawing({ type: "daleFluctuation" }, 10, new Int8Array(10).fill(1))).toThrow(/nothing .* inhibits/);
  expect(drawing({ type: "fluctuation", rate: "sequentiel" as never })).toThrow(
    /rate is "sequentiel"; it must be a number above 0, or one of "data", "sequential" — did you mean "sequential"/,
  );
});

test("one stream per projection: another rule elsewhere changes nothing here", () => {
  const network = { ...stack(20, [population(10)], { recurrent: true }) };
  const starts = startsWith(network, { type: "fluctuation" });
  const one = initialWeights(network, starts, 5, 10);
  const other = initialWeights(
    network,
    starts.map((start, k) => (k === 1 ? { ...start, initial: { type: "uniform" } } : start)) as Start[],
    5,
    10,
  );
  expect(other[0]).toEqual(one[0]);
  expect(other[1]).not.toEqual(one[1]);
});
