/**
 * Initialisation that looks at data, layer by layer: draw the weights of a layer, run samples through the layers so far,
 * take the rate that is measured for the layer above and for the layer's own recurrent connections, and draw again.
 * With `exact`, weights are then multiplied until the free membrane has its standard deviation in these samples, as LSUV
 * does with activations (Mishkin & Matas 2016); a formula for independent Poisson trains cannot see correlated inputs.
 */
import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { type GradientNetwork, synapseCount } from "../gradient/spec.ts";
import { isRecurrent } from "./afferents.ts";
import { aimOf, drawWeights, fluctuationOf, ruleName, type SourceRates, type Start } from "./draw.ts";
import { bringTo } from "./exact.ts";
import { measuredMoments } from "./implied.ts";
import { type Activity, PopulationProbe, ratesOfActivity, ratesOfInput, ratesOfPart } from "./measure.ts";

export interface DataDependentRequest {
  readonly network: GradientNetwork;
  readonly starts: readonly Start[];
  readonly seed: number;
  /** Mean rate of an input channel over the training data; null where inputs are currents. */
  readonly dataRateHz: number | null;
  readonly samples: readonly StepEvents[];
  /** Multiply the weights of every layer until its free membrane has the standard deviation that is aimed at. */
  readonly exact: boolean;
}

/** Whether a rule of these needs to see samples. */
export const isSequential = (network: GradientNetwork, starts: readonly Start[]): boolean =>
  starts.some((_, k) => fluctuationOf({ network, starts }, k)?.rate === "sequential");

/** Recurrent rates settle within so many repetitions. */
const rounds = 3;

/** The standard deviation that population p is to have, in thresholds; a readout has none of itself. */
function aimOfPopulation(request: DataDependentRequest, p: number): number | null {
  const { network } = request;
  for (const [k, projection] of network.projections.entries()) {
    const rule = projection.target === p ? fluctuationOf(request, k) : null;
    if (rule !== null) return aimOf(rule, ruleName(projection)).sigma;
  }
  return p === network.readout ? null : 1;
}

/** Weights by projection. Deterministic: samples run in their order, in the calling thread. */
export function dataDependentWeights(request: DataDependentRequest): Float32Array<ArrayBuffer>[] {
  const { network, starts, samples, dataRateHz } = request;
  const { populations, projections } = network;
  const ofData = dataRateHz === null ? null : { meanHz: dataRateHz, perSourceHz: null };
  const ofSamples = ratesOfInput(network, samples);
  const measured: (SourceRates | null)[] = populations.map(() => null);
  const weights = starts.map(({ initial }, k) =>
    initial instanceof Float32Array ? initial.slice() : new Float32Array(synapseCount(network, projections[k])),
  );

  /** The first guess of a rate that is not measured yet: as the sources from below fire on average. */
  const guess = (p: number): SourceRates | null => {
    const below = projections.find((one) => one.target === p && !isRecurrent(one));
    if (below === undefined) return ofData;
    const rates = below.source === "input" ? ofSamples : measured[below.source];
    return rates && { meanHz: rates.meanHz, perSourceHz: null };
  };
  const rateOf = (k: number): SourceRates | null => {
    const projection = projections[k];
    if (fluctuationOf(request, k)?.rate !== "sequential") return ofData;
    if (projection.source === "input") return ofSamples;
    const known = measured[projection.source];
    return known === null ? guess(projection.target) : ratesOfPart(known, projection);
  };

  for (let p = 0; p < populations.length; p++) {
    const into = projections.flatMap(({ target }, k) => (target === p ? [k] : []));
    const drawn = into.filter((k) => !(starts[k].initial instanceof Float32Array));
    const settles = drawn.some((k) => isRecurrent(projections[k]) && fluctuationOf(request, k)?.rate === "sequential");
    const draw = () => {
      const rates = projections.map((_, k) => rateOf(k));
      for (const k of drawn) weights[k] = drawWeights({ ...request, rates }, k);
    };
    draw();
    const probe = new PopulationProbe(network, p);
    let look = probe.look(weights, samples);
    for (let round = 1; settles && round < rounds; round++) {
      // A layer that is silent so far says nothing of the rate that it will have.
      measured[p] = isSilent(look.activity) ? measured[p] : ratesOfActivity(look.activity);
      draw();
      look = probe.look(weights, samples);
    }
    const aim = request.exact && drawn.length > 0 ? aimOfPopulation(request, p) : null;
    if (aim !== null) {
      bringTo(aim, {
        multiply(factor) {
          for (const k of drawn) for (let w = 0; w < weights[k].length; w++) weights[k][w] *= factor;
          look = probe.look(weights, samples);
        },
        sigma() {
          const { sigma } = measuredMoments(look.free);
          if (sigma > 0) return sigma;
          throw new UserError(
            `the free membrane of "${populations[p].name}" does not move in ${samples.length} samples: nothing reaches ` +
              "it; raise sigma of the layer below it",
          );
        },
      });
    }
    measured[p] = p === network.readout ? null : ratesOfActivity(look.activity);
  }
  return weights;
}

const isSilent = ({ counts }: Activity): boolean => counts.every((count) => count === 0);
