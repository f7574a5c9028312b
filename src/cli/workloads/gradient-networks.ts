/**
 * The networks and samples that the workloads of the gradient engine measure: those of the published comparisons, as plain
 * data, so that a process of its own can be given them.
 */
import { shdLike } from "../../data/encoding/generators/shd-like.ts";
import { makeEncoder } from "../../data/encoding/make-encoder.ts";
import { SamplePreparation } from "../../data/encoding/prepare-samples.ts";
import type { LabelledSet, StepEvents } from "../../data/labelled-set.ts";
import type { ProductFormat } from "../../kernels/rows/integer-dots.ts";
import { writeValues } from "../../learning/gradient/blocks.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import { GradientEngine } from "../../learning/gradient/engine.ts";
import type { EngineSetup } from "../../learning/gradient/engine-memory.ts";
import { type LearningPlan, unconstrained } from "../../learning/gradient/learning-plan.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import type { BackwardPath, GradientNetwork, NetworkValues, ProjectionSpec } from "../../learning/gradient/spec.ts";
import type { SurrogateDescription } from "../../learning/gradient/surrogate.ts";
import type { TrainingSpec } from "../../learning/gradient/training-spec.ts";
import type { InitialWeights } from "../../learning/initialisation/descriptions.ts";
import { initialWeights } from "../../learning/initialisation/draw.ts";
import type { LossDescription } from "../../learning/losses/loss.ts";

/** GeNN's neurons of e-prop, and the current-based one of the surrogate-gradient programs. */
export type Cell = "GennALIF" | "GennLIF" | "StorkLIF";
export type Rule = "eprop" | "bptt";

export interface Training {
  readonly spec: TrainingSpec;
  readonly plan: LearningPlan;
}

export interface TrainingChoice {
  readonly cell: Cell;
  readonly rule: Rule;
  readonly neurons: number;
  readonly seed: number;
  readonly dtMs?: number;
  readonly inputs?: number;
  readonly outputs?: number;
  /** Factor on the initial weights from the input, of StorkLIF on the recurrent ones too. Default 1. */
  readonly gain?: number;
  /** Mean rate of an input: fluctuation-driven initial weights with sigma `gain`. Default: normal ones. */
  readonly dataRateHz?: number;
  readonly surrogate?: SurrogateDescription;
  readonly loss?: LossDescription;
  /** Learning rate of Adam. Default 1e-3. */
  readonly rate?: number;
  /** The learning rate falls as a cosine over so many epochs of so many batches. Default: it stays. */
  readonly epochs?: number;
  readonly batchesPerEpoch?: number;
  /** Largest norm of a gradient. Default: no limit. */
  readonly clipNorm?: number;
  readonly relaxed?: boolean;
  /** Default `float32`. */
  readonly products?: ProductFormat;
}

/** mlGeNN's: height gamma / threshold with gamma 0.3, as wide as the threshold of 0.6. */
const triangle: SurrogateDescription = { type: "triangle", height: 0.5, width: 0.6 };
/** SuperSpike. */
const superSpike: SurrogateDescription = { type: "fastSigmoid", beta: 20 };

/** Every source to every target, at once. */
export const dense = (
  name: string,
  source: number | "input",
  target: number,
  backward: BackwardPath,
): ProjectionSpec => ({ name, source, target, delaySteps: 0, connectivity: "dense", backward, trained: true });

/** One recurrent layer between the input and a leaky readout. */
export function trainingOf(choice: TrainingChoice): Training {
  const { cell, rule, neurons, seed, dtMs = 1, inputs = 700, outputs = 20, gain = 1, rate = 1e-3 } = choice;
  const currentBased = cell === "StorkLIF";
  const perStep: LossDescription = { type: "crossEntropy", readout: "perStep" };
  const constants = { tauMemMs: 20, tauSynMs: 10 };
  const spec: TrainingSpec = {
    seed,
    dtMs,
    inputs,
    populations: [
      {
        name: "hidden",
        size: neurons,
        model: { type: cell, parameters: currentBased ? constants : {} },
        surrogate: choice.surrogate ?? (currentBased ? superSpike : triangle),
        detachReset: true,
        trainable: [],
        bias: false,
      },
      {
        name: "readout",
        size: outputs,
        model: currentBased ? { type: "CuBaLI", parameters: constants } : { type: "LI", parameters: {} },
        detachReset: true,
        trainable: [],
        bias: !currentBased,
      },
    ],
    projections: [
      dense("input", "input", 0, "none"),
      { ...dense("recurrent", 0, 0, rule === "bptt" ? "weights" : "none"), delaySteps: 1 },
      dense("output", 0, 1, "weights"),
    ],
    readout: 1,
    loss: choice.loss ?? (currentBased ? { type: "crossEntropy", readout: "max" } : perStep),
    regularisers: [],
    truncateSteps: 0,
    lanes: 8,
    relaxed: choice.relaxed ?? false,
    products: choice.products,
  };
  const fluctuation: InitialWeights = { type: "fluctuation", sigma: gain };
  const plan: LearningPlan = {
    optimiser: { type: "adam", rate },
    schedules: choice.epochs === undefined ? [] : [{ type: "cosine" }],
    clipNorm: choice.clipNorm ?? null,
    constantsRate: null,
    overBatch: "mean",
    epochs: choice.epochs ?? 1,
    stepsPerEpoch: choice.batchesPerEpoch ?? 1,
    projections: [
      unconstrained(choice.dataRateHz === undefined ? { type: "normal", gain } : fluctuation),
      unconstrained(choice.dataRateHz === undefined ? { type: "normal", gain: currentBased ? gain : 1 } : fluctuation),
      unconstrained({ type: "normal" }),
    ],
    constants: [],
    feedback: "random",
    dataRateHz: choice.dataRateHz ?? null,
  };
  return { spec, plan };
}

/** The network with its initial weights, as training would start. */
export async function initialNetwork({
  spec,
  plan,
}: Training): Promise<{ network: GradientNetwork; values: NetworkValues }> {
  const network = await compileNetwork(spec);
  const weights = initialWeights(network, plan.projections, spec.seed, plan.dataRateHz);
  const bias = network.populations.map(({ bias: has, size }) => (has ? new Float32Array(size) : null));
  return { network, values: { weights, bias, constants: network.populations.map(() => ({})) } };
}

export async function initialEngine(
  training: Training,
  setup: Omit<EngineSetup, "network" | "relaxed"> = {},
): Promise<GradientEngine> {
  const { network, values } = await initialNetwork(training);
  const engine = new GradientEngine({ ...setup, network, relaxed: training.spec.relaxed });
  writeValues(network, engine.programs, engine.valueLayout, values, engine.values);
  return engine;
}

/** Share of neurons and steps of the hidden layer that spike. */
export function hiddenShare(engine: GradientEngine, samples: readonly StepEvents[]): number {
  let spikes = 0;
  let places = 0;
  for (const sample of samples) {
    engine.forward(sample);
    spikes += engine.spikes(0).neurons.length;
    places += sample.steps * engine.network.populations[0].size;
  }
  return spikes / places;
}

const bisections = 14;

/** The choice with the gain with which its hidden layer spikes about as often as asked for (share of neurons and steps). */
export async function withActivity<Choice extends TrainingChoice>(
  choice: Choice,
  samples: readonly StepEvents[],
  share: number,
): Promise<Choice & { readonly gain: number }> {
  let [low, high] = [2 ** -5, 2 ** 5];
  for (let i = 0; i < bisections; i++) {
    const gain = Math.sqrt(low * high);
    const engine = await initialEngine(trainingOf({ ...choice, gain, relaxed: false }), { backward: false });
    if (hiddenShare(engine, samples) < share) low = gain;
    else high = gain;
  }
  return { ...choice, gain: Math.sqrt(low * high) };
}

export interface SpikesChoice {
  readonly seed: number;
  readonly samples: number;
  readonly steps: number;
  readonly dtMs?: number;
  /** Mean number of spikes per step. Default 7.9, as SHD has in 1 ms. */
  readonly perStep?: number;
  readonly channels?: number;
  readonly classes?: number;
}

/** SHD-like samples, made when they are asked for. Spikes of one channel in one step count once. */
export function shdLikeData(choice: SpikesChoice): {
  readonly set: LabelledSet;
  readonly preparation: SamplePreparation;
} {
  const { seed, samples, steps, dtMs = 1, perStep = 7.9, channels, classes } = choice;
  const set = shdLike({ seed, samples, channels, classes, durationMs: steps * dtMs, spikes: perStep * steps });
  const encoder = makeEncoder({ type: "bin", dtMs, steps }, set);
  return { set, preparation: new SamplePreparation({ set, encoder, seed }) };
}

/** All of them, as the engine takes them. */
export async function shdLikeSamples(choice: SpikesChoice): Promise<LabelledEvents[]> {
  const { set, preparation } = shdLikeData(choice);
  const events = await preparation.prepare(
    0,
    set.labels.map((_, i) => i),
  );
  return events.map((ofSample, i) => ({ events: ofSample, target: { label: set.labels[i] } }));
}

/** Events of a sample. */
export const eventCount = ({ offsets, steps }: StepEvents): number => offsets[steps];
