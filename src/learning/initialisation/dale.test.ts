import { expect, test } from "vitest";
import { Philox } from "../../random/philox.ts";
import { daleDistributions, daleScales } from "./dale.ts";

/** The published shape: 700 channels at 15.8 Hz, 128 excitatory and 32 inhibitory neurons, tau 20, 10 and 20 ms. */
const rate = 15.8;
const [channels, recurrentCells, inhibitoryCells] = [700, 128, 32];
const drive = { feedForward: channels * rate, recurrent: recurrentCells * rate, inhibitory: inhibitoryCells * rate };
const analytical = (tauMem: number, tauSyn: number) => ({ ebar: tauSyn, ehat: tauSyn ** 2 / (2 * (tauSyn + tauMem)) });
const response = { excitatory: analytical(0.02, 0.01), inhibitory: analytical(0.02, 0.02) };
const alpha = 0.9;
const aim = { sigma: 1, share: alpha };
const [e, i] = [response.excitatory, response.inhibitory];

test("exponential weights: the published rates of the three groups", () => {
  const dRec = Math.sqrt((alpha * recurrentCells) / ((1 - alpha) * channels));
  const dInh = (dRec * i.ebar * inhibitoryCells) / (e.ebar * (dRec * channels + recurrentCells));
  const lambda =
    Math.sqrt(2 * rate) *
    Math.sqrt(e.ehat * channels + (e.ehat * recurrentCells) / dRec ** 2 + (i.ehat * inhibitoryCells) / dInh ** 2);
  const scales = daleScales(daleDistributions.exponential, drive, aim, response, "x");
  expect(scales.feedForward).toBeCloseTo(1 / lambda, 12);
  expect(scales.recurrent).toBeCloseTo(1 / (dRec * lambda), 12);
  expect(scales.inhibitory).toBeCloseTo(1 / (dInh * lambda), 12);
});

test("log-normal weights: the corrected formulas", () => {
  const dRec = 0.5 * Math.log(((1 - alpha) * channels) / (alpha * recurrentCells));
  const dInh = Math.log((e.ebar * (channels + Math.exp(dRec) * recurrentCells)) / (i.ebar * inhibitoryCells));
  const variance =
    rate *
    (channels * e.ehat + recurrentCells * e.ehat * Math.exp(2 * dRec) + inhibitoryCells * i.ehat * Math.exp(2 * dInh));
  const m = 0.5 * (Math.log(1 / variance) - 2);
  const scales = daleScales(daleDistributions.logNormal, drive, aim, response, "x");
  expect(Math.log(scales.feedForward)).toBeCloseTo(m, 12);
  expect(Math.log(scales.recurrent)).toBeCloseTo(m + dRec, 12);
  expect(Math.log(scales.inhibitory)).toBeCloseTo(m + dInh, 12);
});

test("without recurrent excitation: the published rates", () => {
  const dInh = (inhibitoryCells * i.ebar) / (channels * e.ebar);
  const lambda = Math.sqrt(2 * rate * (channels * e.ehat + (inhibitoryCells * i.ehat) / dInh ** 2));
  const scales = daleScales(daleDistributions.exponential, { ...drive, recurrent: 0 }, aim, response, "x");
  expect(scales.feedForward).toBeCloseTo(1 / lambda, 12);
  expect(scales.inhibitory).toBeCloseTo(1 / (dInh * lambda), 12);
});

test.each(["exponential", "logNormal"] as const)("%s weights that are drawn: mean 0, sigma 1, share alpha", (name) => {
  const distribution = daleDistributions[name];
  const scales = daleScales(distribution, drive, aim, response, "x");
  const count = 300_000;
  const draws = new Float64Array(count);
  const momentsOf = (stream: number, scale: number) => {
    const random = new Philox(7);
    if (distribution.from === "uniform") random.uniform(stream, 0, draws);
    else random.normal(stream, 0, draws);
    let [first, second] = [0, 0];
    for (const value of draws) {
      const w = scale * distribution.draw(value);
      first += w / count;
      second += (w * w) / count;
    }
    return { first, second };
  };
  const [f, r, h] = [scales.feedForward, scales.recurrent, scales.inhibitory].map((scale, k) =>
    momentsOf(k + 1, scale),
  );
  const excitation = e.ebar * (drive.feedForward * f.first + drive.recurrent * r.first);
  expect(Math.abs((i.ebar * drive.inhibitory * h.first) / excitation - 1)).toBeLessThan(0.02);
  const [below, back, inhibition] = [
    e.ehat * drive.feedForward * f.second,
    e.ehat * drive.recurrent * r.second,
    i.ehat * drive.inhibitory * h.second,
  ];
  expect(Math.abs(Math.sqrt(below + back + inhibition) - 1)).toBeLessThan(0.02);
  expect(Math.abs(below / (below + back) / alpha - 1)).toBeLessThan(0.02);
});

test("what cannot be balanced is refused", () => {
  const scales = (change: object) => () =>
    daleScales(daleDistributions.exponential, { ...drive, ...change }, aim, response, "the rule");
  expect(scales({ inhibitory: 0 })).toThrow(
    /^the rule balances .* nothing that reaches the layer inhibits: give inhib/,
  );
  expect(scales({ feedForward: 0, recurrent: 0 })).toThrow(/nothing that reaches the layer excites/);
});
