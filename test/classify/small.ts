/** A classifier small enough for tests, with as much in its state as a classifier can have. */

import { LocalGroup } from "../../src/device/cpu/group.ts";
import type { TrainingLoop } from "../../src/experiment/classify/loop.ts";
import { makeLoop, type Prepared, prepareClassification } from "../../src/experiment/classify/prepare.ts";
import { type ClassifyInput, type LayerInput, parseClassify } from "../../src/experiment/classify/schema.ts";
import { gradientHost } from "../../src/learning/gradient/host.ts";
import { GradientTrainer } from "../../src/learning/gradient/trainer.ts";

type Dense = Extract<LayerInput, { type?: "dense" }>;

/** 3 classes of 12 samples, 10 channels, 20 steps; a tenth of the samples is held out. */
export function smallExperiment(
  change: {
    readonly data?: Partial<ClassifyInput["data"]>;
    readonly layer?: Partial<Dense>;
    readonly layers?: readonly LayerInput[];
    readonly readout?: ClassifyInput["network"]["readout"];
    readonly learning?: ClassifyInput["learning"];
    readonly rest?: Partial<ClassifyInput>;
  } = {},
): ClassifyInput {
  return {
    kind: "classify",
    name: "small",
    seed: 3,
    data: {
      train: { generate: "randman", manifolds: 3, units: 10, steps: 20, samplesPerClass: 12, dimensions: 1 },
      validation: { type: "everyNth", n: 10 },
      ...change.data,
    },
    network: {
      dtMs: 1,
      layers: [...(change.layers ?? [{ neurons: 8, model: { type: "StorkLIF" }, ...change.layer }])],
      readout: change.readout ?? {},
    },
    learning: { batch: 8, epochs: 3, optimiser: { type: "adam", rate: 0.01 }, ...change.learning },
    exampleTrials: 1,
    ...change.rest,
  };
}

/** Every part of the state in use: trained constants, feedback that learns, rewired synapses, a schedule that remembers. */
export const everything: ClassifyInput = smallExperiment({
  data: { augmentation: [{ type: "jitterTimes", sdMs: 1 }] },
  layer: {
    model: {
      type: "GennALIF",
      parameters: { tauAdaptMs: { distribution: "uniform", min: 20, max: 60 }, threshold: 0.3 },
    },
    surrogate: { type: "triangle" },
    trainable: { tauMemMs: {}, beta: { shared: true } },
    recurrentConnections: 0.5,
    deepR: 0.001,
    bias: true,
  },
  learning: {
    rule: "eprop",
    feedback: "adaptive",
    schedule: [{ type: "plateau", patience: 0 }],
    regularise: [{ type: "meanRate", over: "batch" }],
    constantsRate: 0.05,
    tape: "bfloat16",
    products: "int16",
  },
});

export const prepareSmall = (input: ClassifyInput): Promise<Prepared> =>
  prepareClassification(parseClassify(input, "the test"), () => Promise.reject(new Error("no files here")));

/** A group of one whose answers come later, as those of threads do. */
export class DelayedGroup extends LocalGroup {
  /** Awaited before each run. */
  before: () => Promise<void> = async () => {};

  override async call<T>(rank: number, method: string, args: unknown[]): Promise<T> {
    if (method === "run") await this.before();
    return super.call(rank, method, args);
  }
}

export async function loopOf(input: ClassifyInput, group = new LocalGroup(gradientHost())): Promise<TrainingLoop> {
  const prepared = await prepareSmall(input);
  return makeLoop(prepared, await GradientTrainer.create(prepared.spec, prepared.plan, group));
}

export const delayedGroup = (): DelayedGroup => new DelayedGroup(gradientHost());
