/**
 * Are the gradients right? Three questions, asked of a neuron model or of a whole network, all in float64:
 *
 * 1. With smooth spikes, z = sigmoid(slope margin), the network is a differentiable function, and the adjoint form with
 *    the surrogate sigmoid(slope) and nothing detached must give its exact gradient: (L(p+h) - L(p-h)) / 2h, for weights,
 *    biases and every parameter of the neurons, under every loss and regulariser. What runs forwards here is a program of
 *    its own (`forward-eprop-network.ts`), so that the adjoint's forward pass is checked with it.
 * 2. With real spikes and the path between neurons cut (e-prop), the adjoint form must give what traces at every synapse
 *    give, forwards in time (`forward-eprop.ts`).
 */
import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { surrogates } from "../../expression/surrogates.ts";
import { readoutModels } from "../../model/built-in.ts";
import type { Model } from "../../model/define.ts";
import { type Criterion, makeCriteria, type Trace } from "./check-gradients-losses.ts";
import {
  cutForEprop,
  drawSample,
  drawValues,
  exactly,
  freezeStopped,
  networkAround,
  smoothSlopeOf,
} from "./check-gradients-network.ts";
import { Dropout } from "./dropout.ts";
import { forwardEprop } from "./forward-eprop.ts";
import { SteppedNetwork } from "./forward-eprop-network.ts";
import { type ReferenceOptions, referenceGradients } from "./reference.ts";
import type { GradientNetwork, NetworkValues } from "./spec.ts";

export interface CheckOptions {
  /** Of a network around a model. Default 1. */
  readonly dtMs?: number;
  /** Of a network around a model. Default `LI`. */
  readonly readout?: Model;
  /** Length of the sample. Default 12. */
  readonly steps?: number;
  /** Of the drawn weights, constants and events. Default 1. */
  readonly seed?: number;
  /** Most entries of one array of gradients that are compared; others are left out evenly. Default 48. */
  readonly entries?: number;
  /** Allowed: relativeTolerance |difference quotient| + absoluteTolerance (largest entry of the array). */
  readonly relativeTolerance?: number;
  readonly absoluteTolerance?: number;
}

export interface CheckedArray {
  /** `weights rec`, `bias of hidden`, `tauMemMs of hidden`. */
  readonly name: string;
  readonly entries: number;
  /** Largest entry of the gradient under any loss. */
  readonly largest: number;
  /** Largest |a - b| over the largest entry of its array, under any loss. */
  readonly difference: number;
  /** The loss under which it was met. */
  readonly loss: string;
  /** `no influence`: the gradient is 0 in both ways of computing it, under all losses. */
  readonly verdict: "agrees" | "differs" | "no influence";
}

export interface GradientCheck {
  /** Of the model; `network` for a network. */
  readonly name: string;
  /** Model of the readout. */
  readonly readout: string;
  readonly dtMs: number;
  /** Adjoint form against finite differences. */
  readonly differences: readonly CheckedArray[];
  /** Adjoint form of e-prop against its forward form. */
  readonly eprop: readonly CheckedArray[];
  readonly passed: boolean;
}

/** Dropout as in one training sample, by population. */
type Sent = NonNullable<ReferenceOptions["sent"]>;

function drawSent(network: GradientNetwork, seed: number): Sent {
  const sent: (Float64Array | null)[] = network.populations.map(() => null);
  new Dropout(network, seed).forSample({ step: 0, place: 0 }, (population, factors) => {
    sent[population] = factors;
  });
  return sent;
}

/** Both forms of e-prop add up the same terms; this is rounding, with room. */
const epropTolerance = { relative: 0, absolute: 1e-9 };

/**
 * @param given a model, to be checked in a small recurrent network, or a network with at least one population that spikes
 * @throws UserError for models that finite differences say nothing about, and where numbers run away
 */
export function checkGradients(given: Model | GradientNetwork, options: CheckOptions = {}): GradientCheck {
  const { dtMs = 1, readout = readoutModels.LI, steps = 12, seed = 1 } = options;
  const isModel = "kind" in given;
  const network = exactly(isModel ? networkAround(given, readout, dtMs) : given);
  const values = drawValues(network, seed);
  const sample = drawSample(network, steps, seed);
  const sent = drawSent(network, seed);
  const differences = checkDifferences(network, values, sample, sent, options);
  const eprop = checkForward(cutForEprop(network), values, sample, sent);
  return {
    name: isModel ? given.name : "network",
    readout: network.populations[network.readout].model.model.name,
    dtMs: network.dtMs,
    differences,
    eprop,
    passed: [...differences, ...eprop].every(({ verdict }) => verdict !== "differs"),
  };
}

interface NamedArray {
  readonly name: string;
  readonly values: Float64Array;
  /** Whether it holds parameters of neurons. */
  readonly isConstant: boolean;
}

/** All arrays of values or gradients, in one order. */
function arraysOf(network: GradientNetwork, values: NetworkValues<Float64Array>): NamedArray[] {
  return [
    ...network.projections.map(({ name }, k) => ({
      name: `weights ${name}`,
      values: values.weights[k],
      isConstant: false,
    })),
    ...network.populations.flatMap(({ name }, p): NamedArray[] => {
      const bias = values.bias[p];
      return [
        ...(bias === null ? [] : [{ name: `bias of ${name}`, values: bias, isConstant: false }]),
        ...Object.entries(values.constants[p]).map(([parameter, own]) => ({
          name: `${parameter} of ${name}`,
          values: own,
          isConstant: true,
        })),
      ];
    }),
  ];
}

const largestOf = (list: ArrayLike<number>): number =>
  Array.from(list).reduce((top, x) => (Number.isNaN(x) ? x : Math.max(top, Math.abs(x))), 0);

/** Of the value, and of the largest value of the array. */
interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** Gathers comparisons of one array under several losses. */
class Comparison {
  readonly #name: string;
  readonly #entries: number;
  #largest = 0;
  #difference = 0;
  #loss = "";
  #agrees = true;

  constructor(name: string, entries: number) {
    this.#name = name;
    this.#entries = entries;
  }

  /** Entries of the gradient under one loss, of an array whose largest is `scale`. */
  add(loss: string, actual: readonly number[], wanted: readonly number[], scale: number, allowed: Tolerance): void {
    this.#largest = Math.max(this.#largest, scale);
    for (const [i, value] of wanted.entries()) {
      const difference = Math.abs(actual[i] - value);
      if (difference === 0) continue;
      if (!(difference <= allowed.relative * Math.abs(value) + allowed.absolute * scale)) this.#agrees = false;
      const share = difference / scale;
      if (!(share <= this.#difference)) [this.#difference, this.#loss] = [share, loss];
    }
  }

  result(): CheckedArray {
    const verdict = !this.#agrees ? "differs" : this.#largest === 0 ? "no influence" : "agrees";
    const [name, entries, largest, difference] = [this.#name, this.#entries, this.#largest, this.#difference];
    return { name, entries, largest, difference, loss: this.#loss, verdict };
  }
}

/** Runs a network with smooth spikes. */
class SmoothNetwork {
  readonly #stepped: SteppedNetwork;
  readonly #sample: StepEvents;

  constructor(
    network: GradientNetwork,
    values: NetworkValues<Float64Array>,
    sample: StepEvents,
    slope: number,
    sent: Sent,
  ) {
    this.#stepped = new SteppedNetwork(network, values, slope, sent);
    this.#sample = sample;
  }

  run(constantsMoved: boolean): Trace {
    const { populations, network } = this.#stepped;
    const { steps } = this.#sample;
    if (constantsMoved) this.#stepped.setConstants();
    this.#stepped.rest();
    const readout = populations[network.readout];
    const outputs = new Float64Array(steps * readout.spec.size);
    const counts = populations.map(({ spec }) => new Float64Array(spec.size));
    for (let t = 0; t < steps; t++) {
      this.#stepped.advance(this.#sample, t);
      outputs.set(readout.states[0], t * readout.spec.size);
      for (const [p, { z }] of populations.entries()) for (const [j, x] of z.entries()) counts[p][j] += x;
    }
    return { steps, outputs, counts };
  }
}

function checkDifferences(
  given: GradientNetwork,
  values: NetworkValues<Float64Array>,
  sample: StepEvents,
  sent: Sent,
  { entries = 48, relativeTolerance = 1e-3, absoluteTolerance = 1e-5 }: CheckOptions,
): CheckedArray[] {
  const allowed = { relative: relativeTolerance, absolute: absoluteTolerance };
  const smoothSlope = smoothSlopeOf(given);
  const network = {
    ...given,
    populations: given.populations.map((spec, p) =>
      p === given.readout ? spec : { ...spec, surrogate: surrogates.sigmoid(smoothSlope) },
    ),
  };
  const criteria = makeCriteria(network.populations[network.readout].size, network.dtMs, network.readout);
  const smooth = new SmoothNetwork(freezeStopped(network, values), values, sample, smoothSlope, sent);
  const trace = smooth.run(false);
  const gradients = criteria.map((criterion) => {
    const { loss, derivative, costs } = criterion.evaluate(trace);
    if (!Number.isFinite(loss)) {
      throw new UserError(
        `the network's outputs are not finite with a time step of ${network.dtMs} ms; try a smaller one`,
      );
    }
    const result = referenceGradients(network, values, sample, () => ({ loss, derivative }), costs, {
      smoothSlope,
      sent,
    });
    return arraysOf(network, result.gradients);
  });
  return arraysOf(network, values).map(({ name, values: array, isConstant }, a) => {
    const stride = Math.ceil(array.length / entries);
    const chosen = Array.from({ length: Math.ceil(array.length / stride) }, (_, i) => i * stride);
    const quotients = chosen.map((i) => differenceQuotients(array, i, criteria, () => smooth.run(isConstant)));
    if (isConstant) smooth.run(true);
    const comparison = new Comparison(name, chosen.length);
    for (const [c, criterion] of criteria.entries()) {
      const own = gradients[c][a].values;
      const wanted = quotients.map((byCriterion) => byCriterion[c]);
      const scale = largestOf(own);
      const actual = chosen.map((i) => own[i]);
      comparison.add(criterion.name, actual, wanted, scale, allowed);
    }
    return comparison.result();
  });
}

/** (L(p+h) - L(p-h)) / 2h of entry i under every criterion. */
function differenceQuotients(
  array: Float64Array,
  i: number,
  criteria: readonly Criterion[],
  run: () => Trace,
): number[] {
  const value = array[i];
  const h = 3e-5 * Math.max(Math.abs(value), 1e-2);
  const at = (moved: number): number[] => {
    array[i] = moved;
    const trace = run();
    array[i] = value;
    return criteria.map((criterion) => criterion.evaluate(trace).loss);
  };
  const above = at(value + h);
  const below = at(value - h);
  return above.map((loss, c) => (loss - below[c]) / (value + h - (value - h)));
}

function checkForward(
  network: GradientNetwork,
  values: NetworkValues<Float64Array>,
  sample: StepEvents,
  sent: Sent,
): CheckedArray[] {
  const { size } = network.populations[network.readout];
  const [criterion] = makeCriteria(size, network.dtMs, network.readout).filter(({ name }) => name.endsWith("perStep"));
  const loss = (outputs: Float64Array, steps: number) => criterion.evaluate({ steps, outputs, counts: [] });
  const costs = network.populations.map(({ size: n }, p) =>
    p === network.readout ? null : Float64Array.from({ length: n }, (_, j) => 0.1 * (j - 1)),
  );
  const adjoint = arraysOf(network, referenceGradients(network, values, sample, loss, costs, { sent }).gradients);
  const forward = arraysOf(network, forwardEprop(network, values, sample, loss, costs, { sent }).gradients);
  return adjoint.map(({ name, values: wanted }, a) => {
    const comparison = new Comparison(name, wanted.length);
    const [from, to] = [Array.from(wanted), Array.from(forward[a].values)];
    comparison.add(criterion.name, from, to, largestOf(wanted), epropTolerance);
    return comparison.result();
  });
}
