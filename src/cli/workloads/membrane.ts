/**
 * Whether initial weights do to membranes what they promise: figure 1 of docs/initialization.md. Free membranes of neurons
 * under independent Poisson inputs, against the normal distribution that the rule aims at; and the moments of weights that
 * follow Dale's law, in the shape of the published network.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StepEvents } from "../../data/labelled-set.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import type { GradientNetwork } from "../../learning/gradient/spec.ts";
import {
  type DaleDistribution,
  type DaleGroups,
  daleDistributions,
  daleScales,
} from "../../learning/initialisation/dale.ts";
import type { InitialWeights } from "../../learning/initialisation/descriptions.ts";
import { initialWeights, type Start } from "../../learning/initialisation/draw.ts";
import { describeStart } from "../../learning/initialisation/report.ts";
import { responseIntegrals } from "../../learning/initialisation/response.ts";
import { poisson } from "../../random/distributions.ts";
import { streamOfName } from "../../random/draws.ts";
import { Philox } from "../../random/philox.ts";
import type { MembranePanel } from "../../report/initialisation/membranes.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { dense } from "./gradient-networks.ts";
import { describeMachine, machineLine, table } from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const [dtMs, steps] = [1, 10_000];
const constants = { tauMemMs: 20, tauSynMs: 10 };
const defaultNeurons = 50;

/** Neurons behind Poisson inputs, without a recurrence; nothing is learned and the readout is not looked at. */
const networkOf = (inputs: number, neurons: number, parameters: Readonly<Record<string, number>> = constants) =>
  compileNetwork({
    seed: 0,
    dtMs,
    inputs,
    populations: [
      {
        name: "hidden",
        size: neurons,
        model: { type: "StorkLIF", parameters },
        detachReset: true,
        trainable: [],
        bias: false,
      },
      {
        name: "readout",
        size: 1,
        model: { type: "LI", parameters: {} },
        detachReset: true,
        trainable: [],
        bias: false,
      },
    ],
    projections: [dense("input", "input", 0, "none"), dense("output", 0, 1, "none")],
    readout: 1,
    loss: { type: "crossEntropy", readout: "max" },
    regularisers: [],
    truncateSteps: 0,
    lanes: 1,
    relaxed: false,
  });

/** Independent Poisson trains: their number in a step, and to which channel each belongs. */
function poissonTrains(seed: number, inputs: number, rateHz: number): StepEvents {
  const random = new Philox(seed);
  const counts = new Float64Array(steps);
  poisson(random, streamOfName("membrane.counts"), (inputs * rateHz * dtMs) / 1000, 0, counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const places = new Float64Array(total);
  random.uniform(streamOfName("membrane.channels"), 0, places);
  const [channels, values]: [number[], number[]] = [[], []];
  const offsets = new Uint32Array(steps + 1);
  let at = 0;
  for (let t = 0; t < steps; t++) {
    const own = places
      .subarray(at, at + counts[t])
      .map((place) => Math.floor(place * inputs))
      .sort();
    for (const channel of own) {
      // Two spikes of a channel in one step are one event of twice the size.
      if (channels.length > offsets[t] && channels[channels.length - 1] === channel) values[values.length - 1]++;
      else {
        channels.push(channel);
        values.push(1);
      }
    }
    at += counts[t];
    offsets[t + 1] = channels.length;
  }
  return { steps, offsets, channels: Uint32Array.from(channels), values: Float32Array.from(values) };
}

interface MembraneRow {
  readonly rule: string;
  readonly xi: number;
  /** Standard deviation aimed at, and measured over time about each neuron's own mean; over all neurons together. */
  readonly sigma: number;
  readonly measured: number;
  readonly pooled: number;
  readonly mean: number;
  readonly spread: number;
  readonly independentSpread: number;
  /** measured / sigma - 1 */
  readonly error: number;
}

interface Case {
  readonly name: string;
  readonly initial: InitialWeights;
  readonly xi: number;
  readonly signs: Int8Array | null;
  readonly shown: boolean;
}

function membraneOf(network: GradientNetwork, sample: StepEvents, { name, initial, xi, signs }: Case, seed: number) {
  const starts: Start[] = [
    { initial, signs },
    { initial: { type: "normal" }, signs: null },
  ];
  const weights = initialWeights(network, starts, seed, null);
  const [{ measured, implied, values }] = describeStart(network, starts, weights, [sample]).layers;
  const sigma = 1 / xi;
  const row: MembraneRow = {
    rule: name,
    xi,
    sigma,
    measured: measured.sigma,
    pooled: Math.sqrt(measured.sigma ** 2 + measured.spread ** 2),
    mean: measured.mean,
    spread: measured.spread,
    independentSpread: implied.independentSpread,
    error: measured.sigma / sigma - 1,
  };
  return { row, values };
}

const published = { inputs: 5000, rateHz: 3 };
/** Exc/inh layers of the published network, and its rate. */
const dale = { feedForward: 700, recurrent: 128, inhibitory: 32, rateHz: 15.8, share: 0.9, tauInhibitoryMs: 20 };
const limits = { sigma: 0.1, dale: 0.02 };

interface DaleRow {
  readonly distribution: DaleDistribution;
  readonly mean: number;
  readonly sigma: number;
  readonly share: number;
}

/** Moments of weights take more neurons than membranes do. */
const drawnPerNeuron = 400;
const drawnAtOnce = 500_000;

/** Weights drawn for many neurons, with synaptic constants of their own for excitation and inhibition. */
async function daleMoments(distribution: DaleDistribution, drawnNeurons: number, seed: number): Promise<DaleRow> {
  const integrals = async (tauSynMs: number) => {
    const { populations } = await networkOf(1, 1, { ...constants, tauSynMs });
    const { ebar, ehat } = responseIntegrals(populations[0], dtMs);
    return { ebar: ebar[0], ehat: ehat[0] };
  };
  const response = {
    excitatory: await integrals(constants.tauSynMs),
    inhibitory: await integrals(dale.tauInhibitoryMs),
  };
  const drive = (cells: number) => cells * dale.rateHz;
  const drives: DaleGroups = {
    feedForward: drive(dale.feedForward),
    recurrent: drive(dale.recurrent),
    inhibitory: drive(dale.inhibitory),
  };
  const shape = daleDistributions[distribution];
  const scales = daleScales(shape, drives, { sigma: 1, share: dale.share }, response, "dale");
  const random = new Philox(seed);
  /** Mean over neurons of nu sum w and nu sum w^2. */
  const sums = (group: keyof DaleGroups) => {
    const count = dale[group] * drawnNeurons;
    const stream = streamOfName(`membrane.${group}`);
    let [first, second] = [0, 0];
    for (let at = 0; at < count; at += drawnAtOnce) {
      const draws = new Float64Array(Math.min(drawnAtOnce, count - at));
      if (shape.from === "uniform") random.uniform(stream, at, draws);
      else random.normal(stream, at, draws);
      for (const value of draws) {
        const w = scales[group] * shape.draw(value);
        first += w;
        second += w * w;
      }
    }
    return { first: (dale.rateHz * first) / drawnNeurons, second: (dale.rateHz * second) / drawnNeurons };
  };
  const [below, back, inhibition] = [sums("feedForward"), sums("recurrent"), sums("inhibitory")];
  const { excitatory: e, inhibitory: i } = response;
  return {
    distribution,
    mean: e.ebar * (below.first + back.first) - i.ebar * inhibition.first,
    sigma: Math.sqrt(e.ehat * (below.second + back.second) + i.ehat * inhibition.second),
    share: below.second / (below.second + back.second),
  };
}

const verdict = (ok: boolean): string => (ok ? "yes" : "NO");
const digits = (value: number): string => value.toFixed(3);

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const neurons = options.neurons ?? defaultNeurons;
  const { seed } = options;

  progress.say(`membrane: ${neurons} neurons, ${published.inputs} inputs of ${published.rateHz} Hz, ${steps / 1000} s`);
  const plain = poissonTrains(seed, published.inputs, published.rateHz);
  const fluctuation = (xi: number, balance: "none" | "rows"): Case => ({
    name: balance === "none" ? "fluctuation" : "fluctuation, balanced rows",
    initial: { type: "fluctuation", xi, rate: published.rateHz, balance },
    xi,
    signs: null,
    shown: balance === "none",
  });
  const plainNetwork = await networkOf(published.inputs, neurons);
  const rows: MembraneRow[] = [];
  const panels: MembranePanel[] = [];
  const measure = (network: GradientNetwork, sample: StepEvents, one: Case, title: string) => {
    const { row, values } = membraneOf(network, sample, one, seed + one.xi);
    rows.push(row);
    if (!one.shown) return;
    const note = `s.d. over time ${digits(row.measured)}, of all values ${digits(row.pooled)}; aimed at ${digits(row.sigma)}`;
    panels.push({ title, note, values, aim: { mean: 0, sigma: row.sigma }, ends: [-4, 4] });
  };
  for (const xi of [1, 2, 3]) measure(plainNetwork, plain, fluctuation(xi, "none"), `ξ = ${xi}`);
  for (const xi of [1, 2, 3]) measure(plainNetwork, plain, fluctuation(xi, "rows"), "");
  measure(plainNetwork, plain, { ...fluctuation(1, "rows"), shown: true }, "ξ = 1, rows balanced");
  rows.pop();

  progress.say("membrane: Dale's law");
  const sources = dale.feedForward + dale.recurrent + dale.inhibitory;
  const signs = Int8Array.from({ length: sources }, (_, i) => (i < sources - dale.inhibitory ? 1 : -1));
  const daleNetwork = await networkOf(sources, neurons);
  const trains = poissonTrains(seed, sources, dale.rateHz);
  const moments: DaleRow[] = [];
  for (const distribution of ["exponential", "logNormal"] as const) {
    const initial: InitialWeights = { type: "daleFluctuation", distribution, rate: dale.rateHz };
    const name = `Dale, ${distribution === "exponential" ? "exponential" : "log-normal"}`;
    measure(daleNetwork, trains, { name, initial, xi: 1, signs, shown: true }, name);
    moments.push(await daleMoments(distribution, drawnPerNeuron * neurons, seed));
  }

  const closeEnough = ({ error }: MembraneRow) => Math.abs(error) < limits.sigma;
  const balanced = ({ mean, sigma, share }: DaleRow) =>
    [Math.abs(mean), Math.abs(sigma - 1), Math.abs(share / dale.share - 1)].every((off) => off < limits.dale);
  if (options.figure !== undefined) {
    const { membraneFigure } = await import("../../report/initialisation/membranes.ts");
    await mkdir(options.figure, { recursive: true });
    const path = join(options.figure, "membrane-histograms.svg");
    await writeFile(path, membraneFigure("Free membranes under Poisson inputs", panels));
    progress.say(`figure: ${path}`);
  }
  if (!options.json) {
    context.stdout.write(
      "volley init, what weights do to the free membrane; s.d. over time, in thresholds\n" +
        machineLine(machine) +
        table(
          ["rule", "xi", "aimed at", "measured", "all neurons", "error", "mean", "spread", "predicted", "within 10 %"],
          rows.map((row) => [
            row.rule,
            String(row.xi),
            digits(row.sigma),
            digits(row.measured),
            digits(row.pooled),
            `${(100 * row.error).toFixed(1)} %`,
            digits(row.mean),
            digits(row.spread),
            digits(row.independentSpread),
            verdict(closeEnough(row)),
          ]),
        ) +
        `\nDale's law, ${dale.feedForward} + ${dale.recurrent} excitatory and ${dale.inhibitory} inhibitory inputs at ${dale.rateHz} Hz, ` +
        `weights of ${drawnPerNeuron * neurons} neurons\n` +
        table(
          ["weights", "mean", "sigma", "share from below", "to 2 %"],
          moments.map((row) => [
            row.distribution,
            digits(row.mean),
            digits(row.sigma),
            digits(row.share),
            verdict(balanced(row)),
          ]),
        ),
    );
  }
  return { machine, seed, neurons, rows, dale: moments, accepted: rows.every(closeEnough) && moments.every(balanced) };
}

export const membrane: Workload = {
  name: "membrane",
  about: "what initial weights do to free membranes, against what they aim at",
  run,
};
