/** What a network would do before it is trained: activity and free membrane of every layer, beside what was aimed at. */
import type { StepEvents } from "../../data/labelled-set.ts";
import { type GradientNetwork, isReadout } from "../gradient/spec.ts";
import { aimOf, fluctuationOf, ruleName, ruleOf, type SourceRates, type Start } from "./draw.ts";
import { isLayer } from "./homeostasis.ts";
import { type ImpliedMembrane, impliedMembrane, type MembraneMoments, measuredMoments } from "./implied.ts";
import { PopulationProbe, ratesOfActivity, ratesOfInput, ratesOfPart, summarise } from "./measure.ts";

export interface LayerStart {
  readonly name: string;
  readonly neurons: number;
  /** Rules of the connections into the layer: `fluctuation`, `normal`, ...; "given" where they follow no rule. */
  readonly rules: readonly string[];
  readonly rateHz: number;
  readonly silentShare: number;
  /** What the rules aim at, in thresholds; null where they aim at no membrane. */
  readonly aim: { readonly mean: number; readonly sigma: number; readonly xi: number } | null;
  /** What the weights mean if sources were independent Poisson trains at their measured rates. */
  readonly implied: ImpliedMembrane;
  /** The free membrane in the samples. */
  readonly measured: MembraneMoments;
  /** Some of its values, in thresholds. */
  readonly values: Float32Array;
}

export interface StartReport {
  readonly samples: number;
  /** Mean over the channels of the samples; of currents, mean squares per second. */
  readonly inputHz: number;
  /** Populations that spike and have weights of their own, in the order of computation. */
  readonly layers: readonly LayerStart[];
}

/**
 * @param starts by projection: how the weights came about
 * @param weights by projection, as they are now
 */
export function describeStart(
  network: GradientNetwork,
  starts: readonly Start[],
  weights: readonly Float32Array[],
  samples: readonly StepEvents[],
): StartReport {
  const ofInput = ratesOfInput(network, samples);
  const looks = network.populations.map((_, p) =>
    isReadout(network, p) ? null : new PopulationProbe(network, p).look(weights, samples),
  );
  const rates = network.projections.map((projection): SourceRates | null => {
    if (projection.source === "input") return ofInput;
    const look = looks[projection.source];
    return look === null ? null : ratesOfPart(ratesOfActivity(look.activity), projection);
  });
  const layers = looks.flatMap((look, p): LayerStart[] => {
    if (look === null || !isLayer(network, p)) return [];
    const { name, size } = network.populations[p];
    const into = network.projections.flatMap(({ target }, k) => (target === p ? [k] : []));
    const aims = into.flatMap((k) => {
      const rule = fluctuationOf({ network, starts }, k);
      return rule === null ? [] : [aimOf(rule, ruleName(network.projections[k]))];
    });
    return [
      {
        name,
        neurons: size,
        rules: into.map((k) => ruleOf({ network, starts }, k)?.type ?? "given"),
        ...summarise(look.activity),
        aim: aims.length === 0 ? null : { ...aims[0], xi: (1 - aims[0].mean) / aims[0].sigma },
        implied: impliedMembrane(network, weights, rates, p),
        measured: measuredMoments(look.free),
        values: look.free.values,
      },
    ];
  });
  return { samples: samples.length, inputHz: ofInput.meanHz, layers };
}
