/**
 * Randman: classes are smooth random manifolds in the space of spike times, so that every unit of every sample spikes
 * equally often and only timing tells the classes apart (Zenke and Vogels, Neural Computation 33, 2021; the formulas are
 * those of fzenke/randman). Unit j of the point x in [0, 1)^D of a manifold is
 *
 *   f_j(x) = prod_d sum_k A_jdk s_k sin(2 pi (k x_d F_jdk + P_jdk)),   s_k = 1 / ((k + 1)^alpha + 1)
 *
 * with A, F and P uniform in (0, 1), A = 0 at k = 0, and k < min(ceil(1e-3^(-1/alpha)), 1000). Over the samples of a class
 * each unit is brought to [0, 1), v = (f - min) / (max - min + 1e-7), and spikes in step floor(steps stepFraction v).
 * Several spikes per unit take a manifold each, at the same x.
 *
 * Beyond the original, classes may share a manifold and differ by their speed alone: the times of class
 * `manifold * stretches.length + i` are those of its manifold times `stretches[i]`.
 */

import { exp, log } from "../../../math/elementary.ts";
import { openDraws } from "../../../random/draws.ts";
import type { LabelledSet } from "../../labelled-set.ts";
import { checkNumber } from "../check.ts";
import { sortByTime } from "../sort-spikes.ts";
import { generatedSet } from "./generated-set.ts";
import { sinOfTurns } from "./sin-of-turns.ts";

export interface RandmanOptions {
  readonly seed: number;
  /** Default 10. There are manifolds x stretches classes. */
  readonly manifolds?: number;
  /** Factors of the times; default [1]. */
  readonly stretches?: readonly number[];
  /** Default 100. */
  readonly units?: number;
  /** Steps that the times are rounded down to; default 100. */
  readonly steps?: number;
  /** Width of a step, ms. Default 1. */
  readonly dtMs?: number;
  /** Share of the steps, from the first, that may hold spikes. Default 1. */
  readonly stepFraction?: number;
  /** D, the dimensions of a manifold. Default 2. */
  readonly dimensions?: number;
  /** Smoothness: the larger, the smoother. Default 2. */
  readonly alpha?: number;
  /** Default 1. */
  readonly spikesPerUnit?: number;
  /** Default 1000. */
  readonly samplesPerClass?: number;
}

const spikeLimit = 2 ** 28;

export interface RandmanSet extends LabelledSet {
  /** Where the last step ends in the slowest class, ms. */
  readonly trialMs: number;
}

/** Sample i is of class i mod classes. Spike times are kept: 4 bytes each. */
export function randman(options: RandmanOptions): RandmanSet {
  const { seed, manifolds = 10, stretches = [1], units = 100, steps = 100, dtMs = 1, stepFraction = 1 } = options;
  const { dimensions = 2, alpha = 2, spikesPerUnit = 1, samplesPerClass = 1000 } = options;
  const counts = { manifolds, stretches: stretches.length, units, steps, dimensions, spikesPerUnit, samplesPerClass };
  for (const [name, count] of Object.entries(counts)) checkNumber(`Randman: ${name}`, count, { min: 1, whole: true });
  for (const stretch of stretches) checkNumber("Randman: a stretch", stretch, { above: 0 });
  checkNumber("Randman: dtMs", dtMs, { above: 0 });
  checkNumber("Randman: alpha", alpha, { above: 0 });
  checkNumber("Randman: stepFraction", stepFraction, { above: 0, max: 1 });
  const classes = manifolds * stretches.length;
  const size = classes * samplesPerClass;
  const perSample = units * spikesPerUnit;
  checkNumber("Randman: spikes of all samples", size * perSample, { max: spikeLimit });

  const times = new Float32Array(size * perSample);
  for (let manifold = 0; manifold < manifolds; manifold++) {
    const surfaces = Array.from({ length: spikesPerUnit }, (_, spike) =>
      drawSurface(seed, `randman: manifold ${manifold}, spike ${spike}`, units, dimensions, alpha),
    );
    for (let i = 0; i < stretches.length; i++) {
      const label = manifold * stretches.length + i;
      const points = drawPoints(seed, `randman: points of class ${label}`, samplesPerClass, dimensions);
      for (const [spike, surface] of surfaces.entries()) {
        for (let unit = 0; unit < units; unit++) {
          const value = standardised(points.map((x) => surface(unit, x)));
          for (let sample = 0; sample < samplesPerClass; sample++) {
            const step = Math.floor(steps * stepFraction * value[sample]);
            const at = (sample * classes + label) * perSample + spike * units + unit;
            times[at] = step * dtMs * stretches[i];
          }
        }
      }
    }
  }

  const unitOfSpike = Uint32Array.from({ length: perSample }, (_, i) => i % units);
  const set = generatedSet({
    name: "Randman",
    channels: units,
    durationMs: (steps - 1) * dtMs * Math.max(...stretches),
    classNames: Array.from({ length: classes }, (_, label) =>
      stretches.length === 1
        ? `manifold ${label}`
        : `manifold ${Math.floor(label / stretches.length)} x ${stretches[label % stretches.length]}`,
    ),
    labels: Uint32Array.from({ length: size }, (_, i) => i % classes),
    sample: (index) => sortByTime(times.slice(index * perSample, (index + 1) * perSample), unitOfSpike.slice()),
  });
  return { ...set, trialMs: steps * dtMs * Math.max(...stretches) };
}

/** Terms of the sums over k. A power within 1e-9 of a whole number is that number. */
export function frequencies(alpha: number): number {
  return Math.min(Math.ceil(exp(log(1000) / alpha) - 1e-9), 1000);
}

/** f_j(x) of a manifold drawn from the stream of that name. */
function drawSurface(
  seed: number,
  name: string,
  units: number,
  dimensions: number,
  alpha: number,
): (unit: number, x: Float64Array) => number {
  const draws = openDraws(seed, name);
  const terms = frequencies(alpha);
  const size = units * dimensions * terms;
  const uniforms = () => Float64Array.from({ length: size }, () => draws.uniform());
  const amplitude = uniforms();
  const frequency = uniforms();
  const phase = uniforms();
  const spectrum = Float64Array.from({ length: terms }, (_, k) => 1 / (exp(alpha * log(k + 1)) + 1));
  return (unit, x) => {
    let product = 1;
    for (let d = 0; d < dimensions; d++) {
      const first = (unit * dimensions + d) * terms;
      let sum = 0;
      for (let k = 1; k < terms; k++) {
        const at = first + k;
        sum += amplitude[at] * spectrum[k] * sinOfTurns(k * x[d] * frequency[at] + phase[at]);
      }
      product *= sum;
    }
    return product;
  };
}

function drawPoints(seed: number, name: string, count: number, dimensions: number): Float64Array[] {
  const draws = openDraws(seed, name);
  return Array.from({ length: count }, () => Float64Array.from({ length: dimensions }, () => draws.uniform()));
}

/** (f - min) / (max - min + 1e-7) */
function standardised(values: readonly number[]): number[] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return values.map((value) => (value - low) / (high - low + 1e-7));
}
