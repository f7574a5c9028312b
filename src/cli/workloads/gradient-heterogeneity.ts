/**
 * What it costs that every neuron has time constants of its own, and what it costs to train them. The three networks are
 * the same and spike alike, because all of their neurons have the same values: only where the values stand differs.
 * Rounds take turns, so that a machine that drifts drifts for all, and what is counted is the time of the processor: a few
 * per cent would drown in what else a machine does.
 */
import { timeConstants } from "../../experiment/classify/heterogeneity.ts";
import { findModel } from "../../learning/gradient/compile.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import { createGradientTrainer } from "../../learning/gradient/trainer.node.ts";
import { median } from "../../math/statistics.ts";
import { type Training, type TrainingChoice, trainingOf } from "./gradient-networks.ts";
import { still } from "./gradient-parts.ts";
import { type Spread, spreadOf } from "./measurement.ts";

export interface HeterogeneityRow {
  readonly name: string;
  readonly neurons: number;
  /** Milliseconds of the processor per sample: one number for all neurons, a number for each, a number for each that is trained. */
  readonly homogeneous: Spread;
  readonly heterogeneous: Spread;
  readonly trained: Spread;
  /** Over homogeneous, median over rounds; and what was asked for. */
  readonly heterogeneousRatio: number;
  readonly trainedRatio: number;
  readonly asked: { readonly heterogeneous: number; readonly trained: number };
}

const asked = { heterogeneous: 1.03, trained: 1.15 } as const;
/** The first rounds meet code that is not yet optimised. */
const warmUp = 3;

async function variants(
  choice: TrainingChoice,
): Promise<Record<"homogeneous" | "heterogeneous" | "trained", Training>> {
  const { spec, plan } = trainingOf(choice);
  const [hidden, ...others] = spec.populations;
  const model = await findModel(hidden.model.type);
  const names = timeConstants(model);
  const perNeuron = Object.fromEntries(
    names.map((name) => [
      name,
      new Float32Array(hidden.size).fill((hidden.model.parameters[name] as number) ?? model.parameters[name].default),
    ]),
  );
  const of = (trainable: readonly string[]) => ({
    ...hidden,
    model: { ...hidden.model, parameters: { ...hidden.model.parameters, ...perNeuron } },
    trainable,
  });
  return {
    homogeneous: { spec, plan },
    heterogeneous: { spec: { ...spec, populations: [of([]), ...others] }, plan },
    trained: {
      spec: { ...spec, populations: [of(names), ...others] },
      plan: {
        ...plan,
        constants: names.map((parameter) => ({ population: 0, parameter, range: { type: "decay" }, shared: false })),
      },
    },
  };
}

export async function measureHeterogeneity(
  name: string,
  choice: TrainingChoice,
  batch: readonly LabelledEvents[],
  repeat: number,
): Promise<HeterogeneityRow> {
  const entries = Object.entries(await variants(choice));
  const trainers = await Promise.all(
    entries.map(([, { spec, plan }]) => createGradientTrainer(spec, still(plan), { threads: 1 })),
  );
  const times = entries.map(() => [] as number[]);
  try {
    for (let round = -warmUp; round < repeat; round++) {
      for (const [i, trainer] of trainers.entries()) {
        const started = process.cpuUsage();
        await trainer.trainBatch(batch);
        const { user, system } = process.cpuUsage(started);
        if (round >= 0) times[i].push((user + system) / 1000 / batch.length);
      }
    }
  } finally {
    for (const trainer of trainers) await trainer.close();
  }
  const [homogeneous, heterogeneous, trained] = times;
  const ratio = (own: readonly number[]) => median(own.map((time, round) => time / homogeneous[round]));
  return {
    name,
    neurons: choice.neurons,
    homogeneous: spreadOf(homogeneous),
    heterogeneous: spreadOf(heterogeneous),
    trained: spreadOf(trained),
    heterogeneousRatio: ratio(heterogeneous),
    trainedRatio: ratio(trained),
    asked,
  };
}
