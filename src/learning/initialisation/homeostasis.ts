/**
 * Firing-rate homeostasis before training, without gradients: the weights into every neuron are multiplied by
 *
 *   f_j = 1 + eta (target - rate_j) / target,   kept within [1/2, 2],   eta = 0.1
 *
 * batch after batch, until the mean rate of every layer is within bounds and few neurons are silent.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import type { GradientNetwork } from "../gradient/spec.ts";
import type { TrainingSpec } from "../gradient/training-spec.ts";
import { meanOverUnits, unitsOf } from "./afferents.ts";
import { type Activity, NetworkProbe, summarise } from "./measure.ts";

/** When every layer is as it should be. */
export interface ActivityBounds {
  /** Of the mean rate of a layer. */
  readonly lowHz: number;
  readonly highHz: number;
  /** Largest share of neurons of a layer that do not fire in a batch. */
  readonly silentShare: number;
}

/** A layer in one batch. */
export interface LayerRates {
  readonly name: string;
  readonly rateHz: number;
  readonly silentShare: number;
}

/** What a homeostatic phase did. */
export interface HomeostasisReport {
  readonly by: "scaling" | "regularisers";
  /** Whether all layers came to be within the bounds. */
  readonly reached: boolean;
  /** By batch, before the change that followed it; the last one is what was reached. */
  readonly course: readonly (readonly LayerRates[])[];
}

export const isWithin = (layers: readonly LayerRates[], { lowHz, highHz, silentShare }: ActivityBounds): boolean =>
  layers.every((layer) => layer.rateHz >= lowHz && layer.rateHz <= highHz && layer.silentShare <= silentShare);

/** Whether population p spikes and has weights of its own; what pools the spikes of others has none. */
export const isLayer = ({ readout, projections }: Pick<TrainingSpec, "readout" | "projections">, p: number): boolean =>
  p !== readout && projections.some(({ target, trained }) => target === p && trained);

export function layerRates(network: GradientNetwork, activities: readonly Activity[]): LayerRates[] {
  return activities.flatMap((activity, p) =>
    isLayer(network, p) ? [{ name: network.populations[p].name, ...summarise(activity) }] : [],
  );
}

const eta = 0.1;
const [weakest, strongest] = [0.5, 2];

/** Multiplies the weights into the neurons of population p. */
function scaleInto(
  network: GradientNetwork,
  weights: readonly Float32Array[],
  p: number,
  ratesHz: Float64Array,
  targetHz: number,
): void {
  for (const [k, projection] of network.projections.entries()) {
    if (projection.target !== p || !projection.trained) continue;
    const units = unitsOf(network, projection);
    const factors = meanOverUnits(units, ratesHz).map((rate) =>
      Math.min(strongest, Math.max(weakest, 1 + (eta * (targetHz - rate)) / targetHz)),
    );
    for (let w = 0; w < weights[k].length; w++) weights[k][w] *= factors[units.ofWeight[w]];
  }
}

/**
 * @param weights by projection, changed in place
 * @param nextBatch samples of batch i, counted from 0
 * @param settings.batches changes at most
 */
export async function scaleToRates(
  network: GradientNetwork,
  weights: readonly Float32Array[],
  nextBatch: (i: number) => Promise<readonly StepEvents[]>,
  settings: ActivityBounds & { readonly targetHz: number; readonly batches: number },
): Promise<HomeostasisReport> {
  const probe = new NetworkProbe(network);
  const course: LayerRates[][] = [];
  for (let i = 0; ; i++) {
    const activities = probe.look(weights, await nextBatch(i));
    const layers = layerRates(network, activities);
    course.push(layers);
    const reached = isWithin(layers, settings);
    if (reached || i === settings.batches) return { by: "scaling", reached, course };
    for (const [p, { counts, seconds }] of activities.entries()) {
      if (!isLayer(network, p)) continue;
      const ratesHz = counts.map((count) => count / seconds);
      scaleInto(network, weights, p, ratesHz, settings.targetHz);
    }
  }
}
