import { expect, test } from "vitest";
import { population as populationOf } from "../../../test/gradient/small-networks.ts";
import type { PerNeuron } from "../../model/define.ts";
import { responseIntegrals, thresholdsOf } from "./response.ts";

const population = (type: string, parameters: Record<string, PerNeuron>, size = 1) =>
  populationOf(size, parameters, type);

const relative = (a: number, b: number) => Math.abs(a / b - 1);

test("exponential synapses: the closed form as steps tend to 0", () => {
  for (const [tauMemMs, tauSynMs] of [
    [20, 10],
    [10, 10],
    [5, 30],
  ]) {
    const { ebar, ehat } = responseIntegrals(population("StorkLIF", { tauMemMs, tauSynMs }), 0.01);
    const [mem, syn] = [tauMemMs / 1000, tauSynMs / 1000];
    expect(relative(ebar[0], syn)).toBeLessThan(2e-3);
    expect(relative(ehat[0], syn ** 2 / (2 * (syn + mem)))).toBeLessThan(2e-3);
  }
});

test("delta synapses: the closed form", () => {
  const tauMemMs = 20;
  // v <- a v + (1 - a) I: a current of 1 for one step moves v by 1 - a, so tau/dt of it is one unit.
  const dtMs = 0.01;
  const { ebar, ehat } = responseIntegrals(population("ALIF", { tauMemMs, refractoryMs: 0 }), dtMs);
  const unit = tauMemMs / dtMs;
  expect(relative(ebar[0] * unit, 0.02)).toBeLessThan(2e-3);
  expect(relative(ehat[0] * unit * unit, 0.01)).toBeLessThan(2e-3);
});

test("at the training's steps: the numbers of the published notebook", () => {
  // Its sums end after ten time constants and are given with five digits or six: that leaves 1e-4 open.
  for (const [dtMs, expectedEbar, expectedEhat] of [
    [1, 0.0105074, 0.0018419],
    [2, 0.0110323, 0.00203561],
  ]) {
    const { ebar, ehat } = responseIntegrals(population("StorkLIF", { tauMemMs: 20, tauSynMs: 10 }), dtMs);
    expect(relative(ebar[0], expectedEbar)).toBeLessThan(1e-4);
    expect(relative(ehat[0], expectedEhat)).toBeLessThan(1e-4);
  }
});

test("without the gain 1 - a the response is larger by just that", () => {
  const constants = { tauMemMs: 20, tauSynMs: 10 };
  const stork = responseIntegrals(population("StorkLIF", constants), 1);
  const spyTorch = responseIntegrals(population("SpyTorchLIF", constants), 1);
  const gain = 1 - Math.exp(-1 / 20);
  expect(relative(spyTorch.ebar[0], stork.ebar[0] / gain)).toBeLessThan(1e-9);
  expect(relative(spyTorch.ehat[0], stork.ehat[0] / gain ** 2)).toBeLessThan(1e-9);
});

test("every neuron has integrals and a threshold of its own", () => {
  const tauMemMs = Float32Array.of(5, 20, 20);
  const threshold = Float32Array.of(1, 1, 0.5);
  const spec = population("StorkLIF", { tauMemMs, tauSynMs: 10, threshold }, 3);
  const { ehat } = responseIntegrals(spec, 1);
  expect(ehat[1]).toBe(ehat[2]);
  expect(ehat[0]).toBeGreaterThan(1.5 * ehat[1]);
  expect([...thresholdsOf(spec)]).toEqual([1, 1, 0.5]);
  expect([...thresholdsOf(population("LI", {}))]).toEqual([1]);
});
