/**
 * The float64 twin of the RLS engine: a whole training run in plain TypeScript, to be read beside the method and to be
 * compared with (test/rls). One thread, no WebAssembly; slow (N = 512: a few seconds per trial) and obvious on purpose.
 *
 * Neuron i, step ti = 1, 2, ...; E_i, I_i, P_i: weights of the spikes of the previous step; s_j: j spiked in it.
 * ```
 *   1. at learning times: the RLS update (kernels/rls/reference.ts), with traces and currents as the last step left them
 *   2. u_e += (-dt u_e + E)/tau_e    u_i += (-dt u_i + I)/tau_i    u_p += (-dt u_p + P)/tau_p    r_j += (-dt r_j + s_j)/tau_p
 *   3. current = drive (+ stimulus) + u_e + u_i + u_p (+ noise);  the model's step unless refractory;  spikes, resets
 *   4. spikes of this step are added to E, I, P of the next, plastic ones with the weights after 1.
 *   5. after the stimulus, feed-forward neurons fire and are delivered likewise
 * ```
 * Source: TrainSpikingNet (Arthur et al., Front. Neuroinform. 17:1099510, 2023); Kim & Chow, eLife 7:e37124 (2018).
 * The engine does the same in another order (it delivers at the start of the next step, and lets traces decay from one
 * learning time to the next at once), in float32 with fixed-point arrivals.
 */
import { updateRls } from "../../kernels/rls/reference.ts";
import { mean } from "../../math/statistics.ts";
import { initialStates, ModelStepper } from "../../model/index.ts";
import { type RandomSource, streamKind, streamOf } from "../../random/streams.ts";
import { drawInitialState } from "./initial-state.ts";
import { type DrawHooks, ReferenceInputs } from "./reference-inputs.ts";
import { buildReferenceNetwork, type ReferenceNetwork, type ReferenceRules } from "./reference-network.ts";
import { ReferenceRecord } from "./reference-record.ts";
import type { RlsSpec } from "./spec.ts";
import { type TrialSteps, trialSteps } from "./timing.ts";

export interface ReferenceHooks extends DrawHooks {
  /** After every step, with the neurons that spiked in it, ascending; `spikes` is valid until the next step. */
  onStep?(step: number, spikes: ArrayLike<number>): void;
  /** After the update of trained neuron `t`: its error before the step, and x'Px. */
  onUpdate?(row: number, t: number, error: number, gain: number): void;
}

export interface ReferenceTrial {
  /** `static`: without plastic synapses and stimulus; `train`: with learning; `test`: frozen. */
  readonly kind: "static" | "train" | "test";
  /** Number of the trial among the random streams. */
  readonly trial: number;
  readonly task: number;
}

export interface ReferenceReport {
  /** Mean over neurons of the correlation of windowed current with target. */
  readonly correlation: number;
  readonly rateHz: number;
  /** Root mean square of the errors before each weight step. */
  readonly rmsError: number;
}

/** Filtered spike trains of all sources with one time constant; all trained neurons with this one use them. */
interface Traces {
  readonly tauMs: number;
  readonly r: Float64Array;
}

/** What a neuron learns from at one time. */
interface Sample {
  readonly x: Float64Array;
  readonly restMinusTarget: number;
}

export class ReferenceTrainer {
  readonly spec: RlsSpec;
  readonly network: ReferenceNetwork;
  readonly steps: TrialSteps;
  readonly hooks: ReferenceHooks;
  /** By trained neuron; changed by learning. */
  readonly weights: readonly Float64Array[];
  readonly P: Float64Array[];
  /** [task], row after row of one value per trained neuron. */
  targets: Float64Array[] = [];
  /** State of the neurons; one value per neuron. */
  readonly cells: ModelStepper;
  readonly uExc: Float64Array;
  readonly uInh: Float64Array;
  readonly uPlastic: Float64Array;
  /** Mean synaptic current of every neuron in the static run. */
  readonly meanCurrent: Float64Array;
  /** Spikes of every neuron in the last trial. */
  readonly spikeCounts: Uint32Array;
  /** Currents of the last trial, and their correlations with the targets. */
  readonly record: ReferenceRecord;
  iteration = 0;

  readonly #random: RandomSource;
  readonly #arrivedExc: Float64Array;
  readonly #arrivedInh: Float64Array;
  readonly #arrivedPlastic: Float64Array;
  readonly #lastSpike: Int32Array;
  readonly #traces: Traces[] = [];
  readonly #tracesOf: Traces[];
  /** By source, feed-forward included: 1 if it spiked in the last step. */
  readonly #spiked: Uint8Array;
  readonly #spikes: number[] = [];
  readonly #inputs: ReferenceInputs;
  /** By trained neuron: samples that wait for their block to be complete, or that the window remembers. */
  readonly #held: Sample[][];
  #updates = 0;
  #squaredError = 0;
  #errors = 0;
  /** Feed-forward weights by task, when each task has its own: the others than those in `weights`. */
  readonly #taskWeights: Float64Array[][] = [];
  #task = 0;

  /** @param rules functions in place of the rules that the specification names */
  constructor(spec: RlsSpec, random: RandomSource, hooks: ReferenceHooks = {}, rules: ReferenceRules = {}) {
    const { neurons: N, feedforward, timing } = spec;
    this.spec = spec;
    this.hooks = hooks;
    this.steps = trialSteps(timing);
    this.network = buildReferenceNetwork(spec, random, rules);
    this.#random = random;
    const { trained, model, tauPlasticMs } = this.network;
    const sources = N + (feedforward?.size ?? 0);
    const perNeuron = () => new Float64Array(N);
    this.cells = new ModelStepper(model, N, timing.dtMs);
    [this.uExc, this.uInh, this.uPlastic, this.meanCurrent] = [perNeuron(), perNeuron(), perNeuron(), perNeuron()];
    [this.#arrivedExc, this.#arrivedInh, this.#arrivedPlastic] = [perNeuron(), perNeuron(), perNeuron()];
    this.spikeCounts = new Uint32Array(N);
    this.#lastSpike = new Int32Array(N);
    this.#spiked = new Uint8Array(sources);
    this.weights = this.network.weights;
    this.P = Array.from(trained, (_, t) => this.network.initialP(t));
    this.#tracesOf = Array.from(trained, (neuron) => {
      const tauMs = tauPlasticMs[neuron];
      const known = this.#traces.find((traces) => traces.tauMs === tauMs);
      const traces = known ?? { tauMs, r: new Float64Array(sources) };
      if (!known) this.#traces.push(traces);
      return traces;
    });
    this.#inputs = new ReferenceInputs(spec, random, hooks);
    this.record = new ReferenceRecord(timing, spec.correlationWindowMs, trained.length);
    this.#held = Array.from(trained, () => []);
    if (feedforward?.weightsPerTask) {
      const own = () => Array.from(trained, () => new Float64Array(feedforward.size).fill(feedforward.initialWeight));
      this.#taskWeights = Array.from({ length: spec.tasks }, own);
    }
  }

  /** The static network alone; sets `meanCurrent`, the time average after the first second (or half of a shorter trial). */
  runStatic(): void {
    const { steps } = this.steps;
    const skip = Math.min(Math.round(1000 / this.spec.timing.dtMs), Math.floor(steps / 2));
    const { uExc, uInh, meanCurrent } = this;
    meanCurrent.fill(0);
    this.#run({ kind: "static", trial: 0, task: 0 }, (step) => {
      if (step <= skip) return;
      for (let i = 0; i < meanCurrent.length; i++) meanCurrent[i] += (uExc[i] + uInh[i]) / (steps - skip);
    });
  }

  /** target(t) = amplitude sin(2 pi (t - phase)/period) + mean current of the static run, t after the stimulus. */
  setSinusoids(amplitude = 0.5, periodMs = 1000): void {
    const { spec, meanCurrent } = this;
    const { trained } = this.network;
    const phase = new Float64Array(1);
    this.targets = Array.from({ length: spec.tasks }, (_, task) => {
      const target = new Float64Array(this.steps.rows * trained.length);
      trained.forEach((neuron, t) => {
        this.#random.uniform(streamOf(streamKind.phase, neuron + task * spec.neurons), 0, phase);
        for (let row = 0; row < this.steps.rows; row++) {
          const sinceMs = (row + 1) * spec.timing.learnEveryMs - phase[0] * periodMs;
          target[row * trained.length + t] =
            amplitude * Math.sin((2 * Math.PI * sinceMs) / periodMs) + meanCurrent[neuron];
        }
      });
      return target;
    });
  }

  /** One trial with learning, of the task whose turn it is. P is divided by the forgetting factor at its first update. */
  iterate(): ReferenceReport {
    this.iteration++;
    const task = (this.iteration - 1) % this.spec.tasks;
    return this.runTrial({ kind: "train", trial: this.iteration, task });
  }

  runTrial(request: ReferenceTrial): ReferenceReport {
    this.#run(request, () => {});
    const known = this.record.correlations(this.targets[request.task]).filter((value) => !Number.isNaN(value));
    return {
      correlation: mean(known),
      rateHz: (1000 * mean(this.spikeCounts)) / (this.steps.steps * this.spec.timing.dtMs),
      rmsError: Math.sqrt(this.#squaredError / this.#errors),
    };
  }

  // ----- One trial -----

  #run({ kind, trial, task }: ReferenceTrial, afterFilters: (step: number) => void): void {
    const { steps, stimulusOn, stimulusOff, learnEvery, sampleEvery } = this.steps;
    const { trained } = this.network;
    const plastic = kind !== "static";
    this.#start(trial);
    this.#useTask(task);
    for (let step = 1; step <= steps; step++) {
      const sinceStimulus = step - stimulusOff;
      if (kind === "train" && sinceStimulus > 0 && step % learnEvery === 0) {
        this.#learn(task, sinceStimulus / learnEvery - 1);
      }
      this.#filter(kind === "train");
      afterFilters(step);
      if (plastic && sinceStimulus > 0 && sinceStimulus % sampleEvery === 0) {
        this.record.add((t) => this.uExc[trained[t]] + this.uInh[trained[t]] + this.uPlastic[trained[t]]);
      }

      const stimulated = plastic && this.spec.stimulus.sigma > 0 && step > stimulusOn && step < stimulusOff;
      this.#advanceNeurons(trial, step, stimulated);
      if (stimulated) this.#inputs.advanceStimulus(task, step);

      this.#arrivedExc.fill(0);
      this.#arrivedInh.fill(0);
      this.#arrivedPlastic.fill(0);
      this.#spiked.fill(0);
      for (const source of this.#spikes) {
        if (this.spec.static) this.#deliverStatic(source);
        if (plastic) this.#deliverPlastic(source);
      }
      if (plastic && sinceStimulus > 0) {
        this.#inputs.fireFeedforward(trial, sinceStimulus, (x) => this.#deliverPlastic(this.spec.neurons + x));
      }
      this.hooks.onStep?.(step, this.#spikes);
    }
  }

  /** Everything is 0, the last spike long ago, and the model's states are as it says (LIF: reset + (threshold - reset) gauss). */
  #start(trial: number): void {
    const zeroed = [this.uExc, this.uInh, this.uPlastic, this.#arrivedExc, this.#arrivedInh, this.#arrivedPlastic];
    for (const array of [...zeroed, this.#inputs.stimulus]) array.fill(0);
    for (const { r } of this.#traces) r.fill(0);
    this.#spiked.fill(0);
    this.spikeCounts.fill(0);
    for (const held of this.#held) held.length = 0;
    this.#lastSpike.fill(-1e9);
    this.record.clear();
    this.#updates = this.#squaredError = this.#errors = 0;
    const stream = streamOf(streamKind.startVoltage, trial);
    for (const [name, initial] of Object.entries(initialStates(this.network.model, this.spec.neurons))) {
      drawInitialState(initial, this.#random, stream, 0, this.cells.states[name]);
    }
  }

  /** Feed-forward weights of the task before go back to their store, those of this task come out. */
  #useTask(task: number): void {
    const size = this.spec.feedforward?.size ?? 0;
    if (this.#taskWeights.length > 0 && task !== this.#task) {
      this.weights.forEach((w, t) => {
        this.#taskWeights[this.#task][t].set(w.subarray(0, size));
        w.set(this.#taskWeights[task][t]);
      });
    }
    this.#task = task;
  }

  /**
   * The update of row `row` for all trained neurons: at once, held until `block` samples are there, or with a P that is
   * made anew of the last `window` samples.
   */
  #learn(task: number, row: number): void {
    const { block, window, forgetting } = this.spec.learning;
    const { trained, inputs } = this.network;
    const complete = block === 1 || this.#held[0].length + 1 === block || row === this.steps.rows - 1;
    const keep = this.iteration > 1 && this.#updates === 0 ? 1 / forgetting : 1;
    for (let t = 0; t < trained.length; t++) {
      const { r } = this.#tracesOf[t];
      const x = Float64Array.from(inputs[t], (source) => r[source]);
      // The noise is no part of u_e + u_i, so a noisy current does not enter the error.
      const restMinusTarget =
        this.uExc[trained[t]] + this.uInh[trained[t]] - this.targets[task][row * trained.length + t];
      const held = this.#held[t];
      held.push({ x, restMinusTarget });
      if (window > 0) {
        if (held.length > window) held.shift();
        this.P[t] = this.network.initialP(t);
        for (const older of held.slice(0, -1)) updateRls(this.P[t], new Float64Array(x.length), older.x, 0);
        this.#update(row, t, { x, restMinusTarget });
      } else if (complete) {
        if (keep !== 1) for (let at = 0; at < this.P[t].length; at++) this.P[t][at] *= keep;
        for (const sample of held) this.#update(row, t, sample);
        held.length = 0;
      }
    }
    if (complete) this.#updates++;
  }

  #update(row: number, t: number, { x, restMinusTarget }: Sample): void {
    const { learning } = this.spec;
    const w = this.weights[t];
    const { error, gain } = updateRls(this.P[t], w, x, restMinusTarget, learning.compat);
    if (!(gain >= 0)) this.P[t] = this.network.initialP(t);
    if (learning.dale || learning.maxWeight < Infinity) {
      for (let slot = 0; slot < w.length; slot++) {
        const [low, high] = this.network.bounds[slot];
        w[slot] = Math.min(Math.max(w[slot], low), high);
      }
    }
    this.#squaredError += error * error;
    this.#errors++;
    this.hooks.onUpdate?.(row, t, error, gain);
  }

  #filter(training: boolean): void {
    const { dtMs: dt } = this.spec.timing;
    const { tauExcMs, tauInhMs, tauPlasticMs } = this.network;
    const { uExc, uInh, uPlastic } = this;
    for (let i = 0; i < uExc.length; i++) {
      uExc[i] += (-dt * uExc[i] + this.#arrivedExc[i]) / tauExcMs[i];
      uInh[i] += (-dt * uInh[i] + this.#arrivedInh[i]) / tauInhMs[i];
      uPlastic[i] += (-dt * uPlastic[i] + this.#arrivedPlastic[i]) / tauPlasticMs[i];
    }
    if (!training) return;
    const spiked = this.#spiked;
    for (const { r, tauMs } of this.#traces) {
      for (let j = 0; j < r.length; j++) r[j] += (-dt * r[j] + spiked[j]) / tauMs;
    }
  }

  #advanceNeurons(trial: number, step: number, stimulated: boolean): void {
    const { model, sigma } = this.spec.noise;
    const { drive, noiseStep } = this.network;
    const { cells, uExc, uInh, uPlastic } = this;
    const noisy = sigma !== 0;
    const onVoltage = noisy && model === "voltage";
    const gauss = noisy ? this.#inputs.noise(trial, step) : null;
    this.#spikes.length = 0;
    for (let i = 0; i < drive.length; i++) {
      const noise = gauss ? noiseStep[i] * gauss[i] : 0;
      if (onVoltage) cells.states.v[i] += noise;
      const refractory = step - this.#lastSpike[i] <= cells.refractorySteps[i];
      const external = stimulated ? drive[i] + this.#inputs.stimulus[i] : drive[i];
      const current = external + (uExc[i] + uInh[i] + uPlastic[i]) + (onVoltage ? 0 : noise);
      if (!cells.advance(i, current, refractory)) continue;
      this.#lastSpike[i] = step;
      this.spikeCounts[i]++;
      this.#spikes.push(i);
    }
  }

  /** Positive weights to E, negative to I. */
  #deliverStatic(source: number): void {
    const { targets, weights } = this.network.staticOutputs[source];
    for (let s = 0; s < targets.length; s++) {
      (weights[s] >= 0 ? this.#arrivedExc : this.#arrivedInh)[targets[s]] += weights[s];
    }
  }

  #deliverPlastic(source: number): void {
    this.#spiked[source] = 1;
    const { trained, slots } = this.network.outputs[source];
    for (let s = 0; s < trained.length; s++) {
      this.#arrivedPlastic[this.network.trained[trained[s]]] += this.weights[trained[s]][slots[s]];
    }
  }
}
