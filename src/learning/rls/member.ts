/**
 * One worker's part of a network: its shards, and the time loop over them.
 *
 * All members run the same loop; only spikes pass between them, at one exchange per step. Nothing here knows whether the
 * others are threads. Methods are called by the trainer (trainer.ts), on all members alike.
 */
import type { Communicator } from "../../device/communicator/contract.ts";
import { integerPower } from "../../math/elementary.ts";
import { initialStates } from "../../model/index.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { buildShards } from "./build-shards.ts";
import { type CompiledNetwork, compileNetwork } from "./compile.ts";
import { Feedforward } from "./feedforward.ts";
import { drawInitialState } from "./initial-state.ts";
import { addToDigest, initialWeights, plasticInputs } from "./plastic-inputs.ts";
import type { Shard } from "./shard.ts";
import { StepTimer } from "./step-timer.ts";
import { type TargetSource, writeTargets } from "./targets.ts";
import { TaskWeights } from "./task-weights.ts";
import { type TrialSteps, trialSteps } from "./timing.ts";
import type { MemberSetup, TrialOutcome, TrialRequest } from "./trial.ts";
import { TrialRecord } from "./trial-record.ts";

export class Member {
  readonly communicator: Communicator;
  readonly network: CompiledNetwork;
  readonly shards: readonly Shard[];
  readonly steps: TrialSteps;
  readonly record: TrialRecord;
  readonly taskWeights: TaskWeights;
  /** The step inside a trial that was interrupted, 0 between trials; with the spikes of that step. */
  paused = { step: 0, heldSamples: 0 };
  readonly spikes: Uint32Array;
  spikeCount = 0;
  networkSpikeCount = 0;
  /** Mean synaptic current of every trained neuron in the static run. */
  meanCurrent: Float32Array;
  /** Called after every step with the spikes of the whole network. */
  onSpikes: ((step: number, spikes: Uint32Array, count: number) => void) | null = null;
  readonly #own: Uint32Array;
  readonly #random: Philox;
  readonly #feedforward: Feedforward | null;
  readonly #traceGains: Float32Array;
  readonly #initial: ReturnType<typeof initialStates>;
  #plastic = false;

  private constructor(network: CompiledNetwork, shards: readonly Shard[], communicator: Communicator) {
    const { spec } = network;
    this.network = network;
    this.shards = shards;
    this.communicator = communicator;
    this.steps = trialSteps(spec.timing);
    this.record = new TrialRecord(shards);
    this.taskWeights = new TaskWeights(spec, shards);
    this.spikes = new Uint32Array(network.sources);
    this.#own = new Uint32Array(shards.reduce((n, shard) => n + shard.range.size, 0));
    this.meanCurrent = new Float32Array(this.record.trained);
    this.#random = new Philox(spec.seed);
    this.#feedforward = spec.feedforward ? new Feedforward(spec, spec.feedforward) : null;
    this.#initial = initialStates(network.model, spec.neurons);
    const tau = spec.synapses.tauPlasticMs;
    this.#traceGains = new Float32Array(this.steps.learnEvery);
    if (typeof tau === "number") {
      const decay = 1 - spec.timing.dtMs / tau;
      for (let e = 0; e < this.#traceGains.length; e++) this.#traceGains[e] = integerPower(decay, e) / tau;
    }
  }

  static async create(setup: MemberSetup, communicator: Communicator): Promise<Member> {
    const network = await compileNetwork(setup.spec);
    return new Member(network, await buildShards(network, setup, communicator), communicator);
  }

  /** Plastic inputs of these neurons, [neuron][M]. */
  async sourcesOf(neurons: Uint32Array, pool: Uint32Array | null): Promise<Uint32Array> {
    const { inputs } = this.network;
    const inputsOf = await plasticInputs(this.network, this.#random, pool);
    const sources = new Uint32Array(neurons.length * inputs);
    for (const [n, neuron] of neurons.entries()) sources.set(inputsOf(neuron), n * inputs);
    return sources;
  }

  /** Builds the plastic synapses; with a pool, only those neurons are presynaptic. Returns a digest of who projects to whom. */
  async connect(pool: Uint32Array | null): Promise<[number, number]> {
    const { inputs } = this.network;
    const weights = initialWeights(this.network);
    const digest: [number, number] = [0, 0];
    for (const { plastic, trainedGlobal } of this.shards) {
      const sources = await this.sourcesOf(trainedGlobal, pool);
      for (const [t, neuron] of trainedGlobal.entries()) {
        addToDigest(digest, neuron, sources.subarray(t * inputs, (t + 1) * inputs));
      }
      plastic.connect(sources, weights);
    }
    this.#plastic = true;
    return digest;
  }

  /** Runs the static network alone; afterwards `meanCurrent` is known. Returns spike counts and the currents of E neurons. */
  runStatic(): TrialOutcome & { excitatoryCurrents: Float64Array } {
    const outcome = this.runTrial({ kind: "static", trial: 0, task: 0, record: false, keep: 1 });
    const samples = this.steps.steps - this.#staticSkip();
    const excitatory: number[] = [];
    let position = 0;
    for (const shard of this.shards) {
      const sums = shard.f32(shard.memory.arrays.work("currentSum"), shard.range.capacity);
      for (const local of shard.trainedLocal) this.meanCurrent[position++] = sums[local] / samples;
      for (const { population, firstLocal, size } of shard.range.segments) {
        if (!this.network.populations[population].excitatory) continue;
        for (let local = firstLocal; local < firstLocal + size; local++) excitatory.push(sums[local] / samples);
      }
    }
    return { ...outcome, excitatoryCurrents: Float64Array.from(excitatory) };
  }

  /** The first second of the static run is not counted, or half of a shorter one. */
  #staticSkip(): number {
    return Math.min(Math.round(1000 / this.network.spec.timing.dtMs), Math.floor(this.steps.steps / 2));
  }

  setTargets(source: TargetSource): void {
    let position = 0;
    for (const shard of this.shards) {
      const count = shard.trainedGlobal.length;
      writeTargets(shard, source, this.meanCurrent.subarray(position, position + count));
      position += count;
    }
  }

  /** Starts a trial and runs it to its end, or to the step at which a stop is requested. */
  runTrial(request: TrialRequest): TrialOutcome {
    this.#start(request);
    return this.resumeTrial(request);
  }

  #start({ trial, task, keep }: TrialRequest): void {
    const stream = streamOf(streamKind.startVoltage, trial);
    for (const shard of this.shards) {
      shard.startTrial((name, first, out) => drawInitialState(this.#initial[name], this.#random, stream, first, out));
    }
    this.taskWeights.use(task);
    if (keep !== 1) for (const shard of this.shards) shard.plastic.scaleP(keep);
    this.record.clear();
    this.spikeCount = 0;
    this.networkSpikeCount = 0;
    this.paused = { step: 0, heldSamples: 0 };
  }

  /** Continues a trial after `paused.step`. */
  resumeTrial(request: TrialRequest): TrialOutcome {
    const { kind, trial, task } = request;
    const { steps, stimulusOn, stimulusOff, learnEvery } = this.steps;
    const { spec } = this.network;
    const { communicator, shards } = this;
    const plastic = this.#plastic && kind !== "static";
    const training = kind === "train";
    const stimulated = plastic && spec.stimulus.sigma > 0;
    const noisy = this.network.options.noise !== "none";
    const stimulusDecay = 1 - spec.timing.dtMs / spec.stimulus.tauMs;
    const stimulusStep = spec.stimulus.sigma * Math.sqrt(spec.timing.dtMs);
    const staticSkip = this.#staticSkip();
    const timer = new StepTimer();
    let resets = 0;
    let step = this.paused.step;
    while (step < steps) {
      step++;
      timer.begin(step);
      const phase = step % learnEvery;
      for (const shard of shards) shard.receive(this.spikes, this.spikeCount);
      if (spec.static) for (const shard of shards) shard.deliverStatic(this.networkSpikeCount);
      if (plastic && !training) {
        for (const shard of shards) shard.deliverPlastic("Currents", this.spikeCount, 0);
      } else if (plastic && phase !== 0) {
        const gain = this.#traceGains[learnEvery - 1 - phase];
        for (const shard of shards) {
          if (step === 1) shard.plastic.advanceGains(true);
          shard.plastic.advanceGains(false);
          shard.deliverPlastic("Both", this.spikeCount, gain);
        }
      } else if (plastic) {
        // At a learning time the currents arrive with the weights before the update, the traces are too late for it.
        for (const shard of shards) shard.deliverPlastic("Currents", this.spikeCount, 0);
        timer.mark("delivery");
        timer.beginWhole();
        if (step > stimulusOff) resets += this.#learn(request, (step - stimulusOff) / learnEvery - 1);
        else for (const shard of shards) shard.plastic.decayTraces();
        timer.mark("rls");
        for (const shard of shards) {
          shard.plastic.advanceGains(true);
          shard.deliverPlastic("Traces", this.spikeCount, this.#traceGains[learnEvery - 1]);
        }
      }
      timer.mark("delivery");

      const stimulusNow = stimulated && step > stimulusOn && step < stimulusOff;
      let own = 0;
      for (const shard of shards) {
        if (noisy) shard.fillNoise("noise", trial, step);
        timer.mark("noise");
        const count = shard.step(stimulusNow);
        for (let i = 0; i < count; i++) this.#own[own++] = shard.spikes[i];
        timer.mark("neurons");
      }
      if (stimulusNow) {
        for (const shard of shards) {
          shard.fillNoise("stimulus", task, step);
          shard.stepStimulus(stimulusDecay, stimulusStep);
        }
      }
      if (phase === 0) for (const shard of shards) shard.forAll("flushCurrents");
      if (request.record) this.record.after(step, this.#own, own, kind === "test");
      if (kind === "static" && step > staticSkip) for (const shard of shards) shard.forAll("recordCurrents");
      timer.mark("other");

      this.networkSpikeCount = communicator.allgatherSpikes(this.#own, own, this.spikes);
      this.spikeCount = this.networkSpikeCount;
      this.onSpikes?.(step, this.spikes, this.networkSpikeCount);
      if (plastic && this.#feedforward && step > stimulusOff) {
        this.spikeCount = this.#feedforward.append(trial, step, this.spikes, this.spikeCount);
      }
      timer.mark("exchange");
      if (communicator.stopRequested && step < steps) break;
    }
    if (training) for (const shard of shards) shard.plastic.flush();
    this.paused.step = step < steps ? step : 0;
    return {
      finished: step === steps,
      spikeCounts: this.#spikeCounts(),
      split: timer.split(),
      resets,
      diverged: training && this.#diverged(),
    };
  }

  /** The update of row `row`; returns how many P had to be reset. */
  #learn({ task }: TrialRequest, row: number): number {
    const { block, window } = this.network.spec.learning;
    const { rows } = this.steps;
    const { paused } = this;
    let resets = 0;
    for (const shard of this.shards) {
      shard.plastic.prepareErrors(task, row, rows);
      if (window > 0) {
        shard.plastic.hold(row % window, window);
        shard.plastic.updateWindow(row % window, Math.min(window, row + 1), window);
      } else if (block === 1) {
        shard.plastic.update();
      } else {
        shard.plastic.hold(paused.heldSamples, block);
        if (paused.heldSamples + 1 === block || row === rows - 1) {
          shard.plastic.updateBlock(paused.heldSamples + 1, block);
        }
      }
      resets += shard.plastic.repair();
    }
    const applied = block === 1 || paused.heldSamples + 1 === block || row === rows - 1;
    paused.heldSamples = applied ? 0 : paused.heldSamples + 1;
    return resets;
  }

  #spikeCounts(): Uint32Array {
    const counts = new Float32Array(this.#own.length);
    let at = 0;
    for (const shard of this.shards) {
      shard.gather(shard.memory.arrays.work("spikeCount"), counts.subarray(at));
      at += shard.range.size;
    }
    return new Uint32Array(counts.buffer);
  }

  #diverged(): boolean {
    return this.shards.some((shard) =>
      shard.trainedGlobal.some((_, t) => !(shard.plastic.record(t, "sumAbsWeight") < largestSum)),
    );
  }
}

/** Arrivals are fixed point with a range of +-2048; a neuron whose weights sum to less can never leave it. */
const largestSum = 2047;
