/** One worker's part of a training: runs the samples of its lanes and adds up their gradients. */
import type { StepEvents } from "../../data/labelled-set.ts";
import { padded } from "../../kernels/rows/wasm.ts";
import { type CountRegulariser, makeCountRegulariser } from "../losses/count-regulariser.ts";
import { FilteredRate } from "../losses/filtered-rate.ts";
import { type Loss, makeLoss } from "../losses/loss.ts";
import type { Target } from "../losses/row-loss.ts";
import { compileNetwork } from "./compile.ts";
import { Dropout, type SamplePlace } from "./dropout.ts";
import { GradientEngine } from "./engine.ts";
import { type TreeNode, TreeSum } from "./lanes.ts";
import type { GradientNetwork, SparseRows } from "./spec.ts";
import { type CutSurrogate, isCut, makeSurrogate } from "./surrogate.ts";
import type { TrainingSpec } from "./training-spec.ts";

export interface LabelledEvents {
  readonly events: StepEvents;
  readonly target: Target;
}

/** Samples of one lane, in the order of the batch. */
export interface Lane {
  readonly lane: number;
  readonly samples: readonly LabelledEvents[];
}

export interface RunRequest {
  /** The block of values, when it changed since the last request. */
  readonly values: Float32Array | null;
  readonly lanes: readonly Lane[];
  /** Factor on the loss and gradient of each sample: 1/batch for a mean. */
  readonly weight: number;
  readonly train: boolean;
  /** By regulariser of scope "batch": counts per neuron and steps, summed over the batch. */
  readonly batchCounts: readonly (BatchCount | null)[] | null;
  /** Updates of the parameters so far: says, with the places of samples in the batch, what dropout leaves out. Default 0. */
  readonly step?: number;
}

/** What counting spikes needs of a request. */
export type CountRequest = Pick<RunRequest, "values" | "lanes" | "step">;

export interface BatchCount {
  readonly counts: Float64Array;
  readonly steps: number;
}

/** Sums over the samples of a request, and what belongs to each sample, in the order of the lanes. */
export interface RunResult {
  readonly nodes: readonly TreeNode[];
  readonly losses: Float64Array;
  readonly predicted: Int32Array;
  /** [sample * outputs + output] */
  readonly probabilities: Float64Array;
  /** Weighted loss of the regularisers. */
  readonly regularisation: number;
  /** By population: spikes per neuron, and steps, of all samples. */
  readonly counts: readonly Float64Array[];
  readonly steps: number;
  /** By population: neurons and steps of one sample inside the support of the surrogate, and those looked at. */
  readonly support: readonly { readonly inside: number; readonly seen: number }[];
  /**
   * By population with a cut surrogate: smallest distance to threshold of any neuron in any training sample, or any
   * distance within the width where there is one; Infinity where nothing was seen. 0 for others.
   */
  readonly nearest: readonly number[];
}

/** Two unfinished nodes per level at most, for up to 2^15 lanes. */
const spareBlocks = 32;

export class GradientMember {
  readonly #engine: GradientEngine;
  readonly #lanes: number;
  readonly #dropout: Dropout;
  /** By population. */
  readonly #isCut: readonly boolean[];
  readonly #loss: Loss;
  readonly #regularisers: { population: number; rule: CountRegulariser | FilteredRate }[];
  readonly #outputs: number;
  readonly #costsOverTime: boolean;
  /** Unpadded traces, where rows of the engine have padding. */
  #trace = new Float32Array(0);
  #traceAdjoint = new Float32Array(0);

  static async create(spec: TrainingSpec, backward = true): Promise<GradientMember> {
    return new GradientMember(spec, await compileNetwork(spec), backward);
  }

  constructor(spec: TrainingSpec, network: GradientNetwork, backward: boolean) {
    this.#lanes = spec.lanes;
    this.#dropout = new Dropout(network, spec.seed);
    this.#isCut = spec.populations.map(({ surrogate }) => surrogate !== undefined && isCut(surrogate));
    this.#outputs = network.populations[network.readout].size;
    this.#loss = makeLoss(spec.loss, this.#outputs);
    this.#regularisers = spec.regularisers.map(({ population, description }) => ({
      population,
      rule:
        description.type === "filteredRate"
          ? new FilteredRate(description, spec.dtMs)
          : makeCountRegulariser(
              description,
              spec.dtMs,
              "regulariser",
              network.populations[population].filters ?? null,
            ),
    }));
    this.#costsOverTime = this.#regularisers.some(({ rule }) => rule instanceof FilteredRate);
    this.#engine = new GradientEngine({
      network,
      relaxed: spec.relaxed,
      truncateSteps: spec.truncateSteps,
      costsOverTime: this.#costsOverTime,
      backward,
      tape: spec.tape,
      products: spec.products,
    });
  }

  get engine(): GradientEngine {
    return this.#engine;
  }

  get #network(): GradientNetwork {
    return this.#engine.network;
  }

  setFeedback(projection: number, block: Float32Array): void {
    this.#engine.setFeedback(projection, block);
  }

  setSparse(projection: number, rows: SparseRows): void {
    this.#engine.setSparse(projection, rows);
  }

  setSurrogate(population: number, surrogate: CutSurrogate): void {
    this.#engine.setSurrogate(population, makeSurrogate(surrogate));
  }

  run(request: RunRequest): RunResult {
    const { lanes, train, step = 0 } = request;
    if (request.values !== null) this.#engine.values.set(request.values);
    const total = lanes.reduce((sum, { samples }) => sum + samples.length, 0);
    const counts = this.#network.populations.map(({ size }) => new Float64Array(size));
    const losses = new Float64Array(total);
    const predicted = new Int32Array(total);
    const probabilities = new Float64Array(total * this.#outputs);
    const support = this.#network.populations.map(() => ({ inside: 0, seen: 0 }));
    const nearest = this.#isCut.map((isCutOff) => (isCutOff ? Number.POSITIVE_INFINITY : 0));
    const engine = this.#engine;
    // Sums of lanes stay in the engine's memory, where they are added quickly; only what leaves is copied.
    const free = engine.spareBlocks(spareBlocks);
    const tree = new TreeSum<number>((to, from) => {
      engine.addBlock(to, from);
      free.push(from);
    });
    let [at, steps, regularisation] = [0, 0, 0];
    for (const { lane, samples } of lanes) {
      if (train && samples.length > 0) this.#engine.clearGradients();
      for (const [s, { events, target }] of samples.entries()) {
        const own = this.#forward(events, train ? { step, place: s * this.#lanes + lane } : null);
        for (const [p, ofSample] of own.entries())
          for (let i = 0; i < ofSample.length; i++) counts[p][i] += ofSample[i];
        steps += events.steps;
        const evaluation = this.#loss.evaluate(this.#trace, events.steps, target, this.#traceAdjoint, request.weight);
        losses[at] = evaluation.loss;
        predicted[at] = evaluation.predicted;
        probabilities.set(evaluation.probabilities, at * this.#outputs);
        at++;
        if (!train) continue;
        if (at === 1) this.#lookAtSupport(support);
        this.#lookForNearest(nearest);
        regularisation += this.#setCosts(events.steps, own, request);
        this.#setOutputAdjoints(events.steps);
        this.#engine.backward();
      }
      if (train) {
        const block = samples.length > 0 ? (free.pop() ?? null) : null;
        if (block !== null) engine.keepGradients(block);
        tree.add({ level: 0, index: lane, sum: block });
      }
    }
    const nodes = tree.nodes.map(({ level, index, sum }) => ({
      level,
      index,
      sum: sum === null ? null : engine.block(sum).slice(),
    }));
    return { nodes, losses, predicted, probabilities, regularisation, counts, steps, support, nearest };
  }

  /** Spikes per neuron of the populations that regularisers of scope "batch" look at: a forward pass of its own. */
  countSpikes({ values, lanes, step = 0 }: CountRequest): (BatchCount | null)[] {
    if (values !== null) this.#engine.values.set(values);
    const sums = this.#regularisers.map(({ population, rule }) =>
      rule instanceof FilteredRate || rule.scope === "sample"
        ? null
        : { counts: new Float64Array(this.#network.populations[population].size), steps: 0 },
    );
    for (const { lane, samples } of lanes) {
      for (const [s, { events }] of samples.entries()) {
        const own = this.#forward(events, { step, place: s * this.#lanes + lane });
        for (const [r, sum] of sums.entries()) {
          if (sum === null) continue;
          const ofSample = own[this.#regularisers[r].population];
          for (let i = 0; i < ofSample.length; i++) sum.counts[i] += ofSample[i];
          sum.steps += events.steps;
        }
      }
    }
    return sums;
  }

  /** Readout traces of a sample, `[step * outputs + output]`: a copy. */
  outputs(events: StepEvents): Float32Array {
    this.#forward(events, null);
    return this.#trace.slice(0, events.steps * this.#outputs);
  }

  /** Runs a sample, with dropout where it is one to learn from; leaves the trace without padding. @returns spikes per neuron by population */
  #forward(events: StepEvents, sample: SamplePlace | null): Float64Array[] {
    this.#dropout.forSample(sample, (population, factors) => this.#engine.setSent(population, factors));
    const outputs = this.#engine.forward(events);
    const stride = this.#engine.outputStride;
    const length = events.steps * this.#outputs;
    if (this.#trace.length < length) {
      this.#trace = new Float32Array(length);
      this.#traceAdjoint = new Float32Array(length);
    }
    if (stride === this.#outputs) this.#trace.set(outputs);
    else {
      for (let t = 0; t < events.steps; t++) {
        this.#trace.set(outputs.subarray(t * stride, t * stride + this.#outputs), t * this.#outputs);
      }
    }
    return this.#network.populations.map(({ size }, p) => {
      const own = new Float64Array(size);
      if (p === this.#network.readout) return own;
      this.#engine.countSpikes(p, own);
      return own;
    });
  }

  #setOutputAdjoints(steps: number): void {
    const adjoints = this.#engine.outputAdjoints();
    const stride = this.#engine.outputStride;
    if (stride === this.#outputs) adjoints.set(this.#traceAdjoint.subarray(0, steps * this.#outputs));
    else {
      adjoints.fill(0);
      for (let t = 0; t < steps; t++) {
        adjoints.set(this.#traceAdjoint.subarray(t * this.#outputs, (t + 1) * this.#outputs), t * stride);
      }
    }
  }

  /** Writes what the regularisers add to the adjoint of every spike; returns their loss. */
  #setCosts(steps: number, own: readonly Float64Array[], { weight, batchCounts }: RunRequest): number {
    let loss = 0;
    for (const [p, { size }] of this.#network.populations.entries()) {
      if (p === this.#network.readout) continue;
      const constant = new Float64Array(size);
      let filtered: FilteredRate | null = null;
      for (const [r, { population, rule }] of this.#regularisers.entries()) {
        if (population !== p) continue;
        if (rule instanceof FilteredRate) filtered = rule;
        else if (rule.scope === "sample") loss += rule.evaluate(own[p], steps, constant, weight);
        else {
          const batch = batchCounts?.[r];
          if (batch) rule.evaluate(batch.counts, batch.steps, constant, 1);
        }
      }
      if (this.#costsOverTime) {
        const { strength, target, decay } = filtered ?? { strength: 0, target: 0, decay: 0 };
        this.#engine.fillRateCosts(p, constant, { strength: weight * strength, target, decay });
      } else this.#engine.spikeCosts(p).fill(0).set(constant);
    }
    return loss;
  }

  #lookAtSupport(support: { inside: number; seen: number }[]): void {
    for (const [p, { surrogate, size }] of this.#network.populations.entries()) {
      const margins = this.#engine.margins(p);
      if (margins === null) continue;
      // SuperSpike and its like reach everywhere; where h has fallen to a hundredth says as much.
      const reach = Number.isFinite(surrogate.support) ? surrogate.support : 0.5;
      const row = padded(size);
      let inside = 0;
      // Without a branch, which nobody could predict: a quarter of the time.
      for (let at = 0; at < margins.length; at += row) {
        for (let i = 0; i < size; i++) inside += Number(Math.abs(margins[at + i]) <= reach);
      }
      support[p].inside += inside;
      support[p].seen += (margins.length / row) * size;
    }
  }

  /** Of the sample that ran. Of one whose tape is not whole nothing is known: it passes for one with a neuron inside. */
  #lookForNearest(nearest: number[]): void {
    for (const [p, { surrogate, size }] of this.#network.populations.entries()) {
      if (!this.#isCut[p] || nearest[p] < surrogate.support) continue;
      const margins = this.#engine.margins(p);
      if (margins === null) nearest[p] = 0;
      else nearest[p] = Math.min(nearest[p], nearestMargin(margins, size, surrogate.support));
    }
  }
}

/** The first distance to threshold below `enough`, or else the smallest; rows of padded(size). */
function nearestMargin(margins: Float32Array, size: number, enough: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  const row = padded(size);
  for (let at = 0; at < margins.length; at += row) {
    for (let i = 0; i < size; i++) {
      const distance = Math.abs(margins[at + i]);
      if (distance < nearest) nearest = distance;
    }
    if (nearest < enough) break;
  }
  return nearest;
}
