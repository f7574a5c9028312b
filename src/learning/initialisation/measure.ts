/**
 * What a network does with samples before it is trained: how often its neurons fire, and how the free membrane of a layer
 * moves. The free membrane is that of a twin of the layer, which receives all that the layer receives, its own recurrent
 * spikes included, but cannot spike itself.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import { constant, state } from "../../expression/build.ts";
import { padded } from "../../kernels/rows/wasm.ts";
import type { ResolvedModel } from "../../model/resolve.ts";
import { writeValues } from "../gradient/blocks.ts";
import { GradientEngine } from "../gradient/engine.ts";
import type { GradientNetwork, PopulationSpec, ProjectionSpec } from "../gradient/spec.ts";
import type { SourceRates } from "./draw.ts";
import { thresholdsOf } from "./response.ts";

/** Spikes of one population. */
export interface Activity {
  /** By neuron. */
  readonly counts: Float64Array;
  readonly seconds: number;
}

/** A free membrane over time, in thresholds. */
export interface FreeMembrane {
  /** Mean of every neuron over all samples and steps, and standard deviation over time about it. */
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  /** Some of the values of all neurons, evenly taken. */
  readonly values: Float32Array;
}

/** The model without spikes. */
function silenced({ model, parameters }: ResolvedModel): ResolvedModel {
  const reset = Object.fromEntries(Object.keys(model.states).map((name) => [name, state(name)]));
  return {
    model: { ...model, margin: constant(-1), reset },
    // A neuron that never spikes never pauses.
    parameters: Object.hasOwn(parameters, "refractoryMs") ? { ...parameters, refractoryMs: 0 } : parameters,
  };
}

/** Only what is needed to run forward; constants and biases are those at the start. */
const forwardOnly = (population: PopulationSpec): PopulationSpec => ({
  ...population,
  bias: false,
  trainable: [],
  dropout: 0,
});

/** A part of a network; `kept` says which projection of the whole each projection is. */
type Part = GradientNetwork & { readonly kept: readonly number[] };

/** Populations up to p and what connects them. */
function upTo(network: GradientNetwork, p: number): Part {
  const kept = network.projections.flatMap(({ source, target }, k) =>
    target <= p && (source === "input" || source <= p) ? [k] : [],
  );
  return {
    ...network,
    populations: network.populations.slice(0, p + 1).map(forwardOnly),
    projections: kept.map((k) => ({ ...network.projections[k], trained: false, backward: "none" })),
    kept,
  };
}

/** The same with the twin of population p behind it, as the readout. */
function withTwin(network: GradientNetwork, p: number): Part {
  const below = upTo(network, p);
  const own = below.populations[p];
  const twin = { ...own, name: `${own.name}.free`, model: silenced(own.model) };
  const copies = below.projections.flatMap((projection, at) =>
    projection.target === p
      ? [{ projection: { ...projection, name: `${projection.name}.free`, target: p + 1 }, kept: below.kept[at] }]
      : [],
  );
  return {
    ...below,
    populations: [...below.populations, twin],
    projections: [...below.projections, ...copies.map(({ projection }) => projection)],
    readout: p + 1,
    kept: [...below.kept, ...copies.map(({ kept }) => kept)],
  };
}

/** The same with the readout behind it, which nothing reaches: populations without states have no membrane. */
function withIdleReadout(network: GradientNetwork, p: number): Part {
  const below = upTo(network, p);
  const idle = forwardOnly(network.populations[network.readout]);
  return { ...below, populations: [...below.populations, idle], readout: p + 1 };
}

const hasMembrane = ({ model }: PopulationSpec): boolean => Object.keys(model.model.states).length > 0;

/** The network that runs when population p is looked at. */
export const networkToLookAt = (network: GradientNetwork, p: number): Part =>
  (hasMembrane(network.populations[p]) ? withTwin : withIdleReadout)(network, p);

/** A part of a network that runs forward, with whatever weights. */
class Runner {
  readonly engine: GradientEngine;
  readonly #part: Part;

  constructor(part: Part) {
    this.#part = part;
    this.engine = new GradientEngine({ network: part, backward: false });
  }

  /** @param weights by projection of the whole network */
  load(weights: readonly Float32Array[]): void {
    const { kept, populations } = this.#part;
    const values = {
      weights: kept.map((k) => weights[k]),
      bias: populations.map(() => null),
      constants: populations.map(() => ({})),
    };
    const { programs, valueLayout } = this.engine;
    writeValues(this.#part, programs, valueLayout, values, this.engine.values);
  }
}

const secondsOf = ({ steps }: StepEvents, dtMs: number): number => (steps * dtMs) / 1000;

/** Values of free membranes that are kept, at most. */
const keptValues = 20_000;

/** The smallest stride of at least this much that comes upon all neurons of a row in turn. */
function strideOver(size: number, atLeast: number): number {
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  let stride = Math.max(1, atLeast);
  while (common(stride, size) !== 1) stride++;
  return stride;
}

class MembraneSums {
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #thresholds: Float64Array;
  readonly #values: Float32Array;
  readonly #every: number;
  #seen = 0;

  /** @param rows steps of all samples together */
  constructor(spec: PopulationSpec, rows: number) {
    this.#thresholds = thresholdsOf(spec);
    this.#sums = new Float64Array(spec.size);
    this.#squares = new Float64Array(spec.size);
    const total = rows * spec.size;
    this.#every = strideOver(spec.size, Math.ceil(total / keptValues));
    this.#values = new Float32Array(Math.ceil(total / this.#every));
  }

  add(outputs: Float32Array, steps: number): void {
    const size = this.#sums.length;
    const row = padded(size);
    for (let t = 0; t < steps; t++) {
      for (let j = 0; j < size; j++) {
        const v = outputs[t * row + j] / this.#thresholds[j];
        this.#sums[j] += v;
        this.#squares[j] += v * v;
        if (this.#seen % this.#every === 0) this.#values[this.#seen / this.#every] = v;
        this.#seen++;
      }
    }
  }

  result(rows: number): FreeMembrane {
    const means = this.#sums.map((sum) => sum / rows);
    const deviations = this.#squares.map((square, j) => Math.sqrt(Math.max(0, square / rows - means[j] * means[j])));
    return { means, deviations, values: this.#values };
  }
}

/** What is seen of one population. */
export interface Look {
  readonly activity: Activity;
  /** Without neurons where the population has no membrane, as one that only pools spikes. */
  readonly free: FreeMembrane;
}

/** Runs samples through populations up to p and looks at p. */
export class PopulationProbe {
  readonly #network: GradientNetwork;
  readonly #p: number;
  readonly #runner: Runner;

  constructor(network: GradientNetwork, p: number) {
    this.#network = network;
    this.#p = p;
    this.#runner = new Runner(networkToLookAt(network, p));
  }

  look(weights: readonly Float32Array[], samples: readonly StepEvents[]): Look {
    const { engine } = this.#runner;
    const population = this.#network.populations[this.#p];
    this.#runner.load(weights);
    const rows = samples.reduce((sum, { steps }) => sum + steps, 0);
    const counts = new Float64Array(population.size);
    const sums = new MembraneSums(hasMembrane(population) ? population : { ...population, size: 0 }, rows);
    for (const sample of samples) {
      sums.add(engine.forward(sample), sample.steps);
      engine.countSpikes(this.#p, counts);
    }
    return { activity: { counts, seconds: (rows * this.#network.dtMs) / 1000 }, free: sums.result(rows) };
  }
}

/** Runs samples through the whole network and counts the spikes of every population; of the readout there are none. */
export class NetworkProbe {
  readonly #network: GradientNetwork;
  readonly #runner: Runner;

  constructor(network: GradientNetwork) {
    this.#network = network;
    this.#runner = new Runner(upTo(network, network.populations.length - 1));
  }

  look(weights: readonly Float32Array[], samples: readonly StepEvents[]): Activity[] {
    const { engine } = this.#runner;
    this.#runner.load(weights);
    const seconds = samples.reduce((sum, sample) => sum + secondsOf(sample, this.#network.dtMs), 0);
    const counts = this.#network.populations.map(({ size }) => new Float64Array(size));
    for (const sample of samples) {
      engine.forward(sample);
      for (const [p, own] of counts.entries()) if (p !== this.#network.readout) engine.countSpikes(p, own);
    }
    return counts.map((own) => ({ counts: own, seconds }));
  }
}

/** Mean rate of the neurons, and the share of them without a spike. */
export function summarise({ counts, seconds }: Activity): { rateHz: number; silentShare: number } {
  let [spikes, silent] = [0, 0];
  for (const count of counts) {
    spikes += count;
    if (count === 0) silent++;
  }
  return { rateHz: spikes / counts.length / seconds, silentShare: silent / counts.length };
}

export const ratesOfActivity = ({ counts, seconds }: Activity): SourceRates => {
  const perSourceHz = counts.map((count) => count / seconds);
  return { meanHz: perSourceHz.reduce((sum, rate) => sum + rate, 0) / counts.length, perSourceHz };
};

/** Of all neurons of a population: rates of those that a projection starts from. */
export function ratesOfPart(rates: SourceRates, { sources }: ProjectionSpec): SourceRates {
  if (sources === undefined || rates.perSourceHz === null) return rates;
  const perSourceHz = rates.perSourceHz.slice(sources.from, sources.to);
  return { meanHz: perSourceHz.reduce((sum, rate) => sum + rate, 0) / perSourceHz.length, perSourceHz };
}

/** Rates of the channels of samples; an event of amplitude x counts as x for the mean and as x^2 for the variance. */
export function ratesOfInput({ inputs, dtMs }: GradientNetwork, samples: readonly StepEvents[]): SourceRates {
  const sums = new Float64Array(inputs);
  let [squares, seconds] = [0, 0];
  for (const sample of samples) {
    const { channels, values, offsets, steps } = sample;
    for (let e = 0; e < offsets[steps]; e++) {
      const value = values?.[e] ?? 1;
      sums[channels[e]] += value;
      squares += value * value;
    }
    seconds += secondsOf(sample, dtMs);
  }
  return { meanHz: squares / inputs / seconds, perSourceHz: sums.map((sum) => sum / seconds) };
}
