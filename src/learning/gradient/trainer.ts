/**
 * Training by gradients: batches are dealt to workers, gradients come back as one sum, the optimiser moves the
 * parameters. The result does not depend on the number of workers (`lanes.ts`).
 */
import { UserError } from "../../base/errors.ts";
import type { WorkerGroup } from "../../device/cpu/group.ts";
import type { SharedRows } from "../../network/shared-rows.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import type { InitialWeights } from "../initialisation/descriptions.ts";
import { initialWeights } from "../initialisation/draw.ts";
import { complete } from "../losses/description.ts";
import { makeWeightPenalty, type WeightPenalty, type WeightPenaltyDescription } from "../losses/weight-penalty.ts";
import { type Constraint, type ConstraintDescription, makeConstraint } from "../optimisers/constraints.ts";
import { addSparsityPressure, type RewirableProjection, rewire } from "../optimisers/deep-r.ts";
import { clipGlobalNorm, globalNorm } from "../optimisers/gradient-norm.ts";
import { makeOptimiser, type Optimiser, type OptimiserState } from "../optimisers/optimiser.ts";
import { makeParametrisation, type ParametrisationDescription } from "../optimisers/parametrisation.ts";
import { makeSchedule, type Schedule, type ScheduleDescription, type ScheduleState } from "../optimisers/schedule.ts";
import type { OptimiserDescription } from "../optimisers/update-rules.ts";
import { compileNetwork } from "./compile.ts";
import { addArrays, lanesOf, TreeSum } from "./lanes.ts";
import { layOutValues, type ValueLayout } from "./layout.ts";
import type { BatchCount, CountRequest, LabelledEvents, Lane, RunRequest, RunResult } from "./member.ts";
import { TrainedParameters } from "./parameters.ts";
import { programsOf } from "./programs.ts";
import { connectionCount, type GradientNetwork, isShared, isSparse, type NetworkValues } from "./spec.ts";
import { type CutSurrogate, isCut, surrogateKinds, widened } from "./surrogate.ts";
import type { TrainingSpec } from "./training-spec.ts";

/** How one projection starts and what holds for its weights. */
export interface ProjectionPlan {
  readonly initial: InitialWeights | Float32Array;
  readonly constraint: ConstraintDescription | null;
  /** For Dale's law: 1 or -1 per source. */
  readonly signs: Int8Array | null;
  readonly penalty: WeightPenaltyDescription | null;
  /** Of a sparse projection: strength of the pull to 0 of deep rewiring; null: synapses stay where they are. */
  readonly deepR: number | null;
}

export interface LearningPlan {
  readonly optimiser: OptimiserDescription;
  readonly schedules: readonly ScheduleDescription[];
  /** Largest norm of all gradients together; null: no limit. */
  readonly clipNorm: number | null;
  /** Learning rate of constants; null: that of the weights. */
  readonly constantsRate: number | null;
  /** A gradient is the mean over the samples of a batch, or their sum. */
  readonly overBatch: "mean" | "sum";
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly projections: readonly ProjectionPlan[];
  /** Of every trainable parameter. */
  readonly constants: readonly {
    readonly population: number;
    readonly parameter: string;
    readonly range: ParametrisationDescription;
    readonly shared: boolean;
  }[];
  /** For projections with `backward: "feedback"`: a matrix that stays, or one that gets the weights' updates too. */
  readonly feedback: "random" | "adaptive";
  /** Mean rate of an input channel over the training data, for weights that start from it. */
  readonly dataRateHz: number | null;
}

/** What one batch did. */
export interface BatchReport {
  /** Sum over samples, not weighted. */
  readonly loss: number;
  readonly regularisation: number;
  readonly correct: number;
  readonly samples: number;
  /** By parameter group. */
  readonly gradientNorms: Readonly<Record<string, number>>;
  /** Of all together, before clipping. */
  readonly gradientNorm: number;
  readonly counts: readonly Float64Array[];
  readonly steps: number;
  readonly support: RunResult["support"];
  /** Cut surrogates that no neuron came within in this batch, with the width that they go on with. */
  readonly widened: readonly { readonly population: number; readonly width: number }[];
}

/** What the samples of a test gave, in their order. */
export interface SampleResults {
  readonly losses: Float64Array;
  readonly predicted: Int32Array;
  /** [sample * outputs + output] */
  readonly probabilities: Float64Array;
  readonly counts: readonly Float64Array[];
  readonly steps: number;
}

/** All that a training must remember to go on, besides what defines it. */
export interface TrainerState {
  /** By group: what the optimiser moves, padded as the engine has it. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly feedback: Readonly<Record<string, Float32Array>>;
  readonly optimiser: OptimiserState;
  readonly schedule: ScheduleState;
  /** Of projections that are rewired, by name. */
  readonly synapses: Readonly<Record<string, SynapseState>>;
  /** Of cut surrogates, by population. Left out: they stay as they are. */
  readonly surrogateWidths?: Readonly<Record<string, number>>;
}

/** Where the synapses of a sparse projection are, and which sign each keeps. */
export interface SynapseState {
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
  readonly signs: Int8Array;
}

const labelOf = (sample: LabelledEvents): number => ("label" in sample.target ? sample.target.label : -1);

export class GradientTrainer {
  readonly network: GradientNetwork;
  readonly layout: ValueLayout;
  readonly parameters: TrainedParameters;
  readonly #spec: TrainingSpec;
  readonly #plan: LearningPlan;
  readonly #group: WorkerGroup;
  readonly #optimiser: Optimiser;
  readonly #schedule: Schedule;
  readonly #constraints: { values: Float32Array; constraint: Constraint }[];
  readonly #penalties: { group: string; values: Float32Array; penalty: WeightPenalty }[];
  readonly #rewired: { projection: number; strength: number; at: RewirableProjection }[];
  readonly #feedback: { projection: number; name: string; values: Float32Array<ArrayBuffer> }[];
  /** Cut surrogates as they are now. */
  readonly #cut: { population: number; surrogate: Required<CutSurrogate> }[];
  /** Whether workers have the present values. */
  #sent = false;

  static async create(spec: TrainingSpec, plan: LearningPlan, group: WorkerGroup): Promise<GradientTrainer> {
    const { lanes } = spec;
    if (!(Number.isInteger(Math.log2(lanes)) && lanes >= group.size)) {
      throw new UserError(
        `lanes is ${lanes} for ${group.size} threads; it must be a power of two and at least the number of threads`,
      );
    }
    const network = await compileNetwork(spec);
    const trainer = new GradientTrainer(spec, plan, group, network);
    await group.callAll("create", () => [spec]);
    await trainer.#sendFeedback();
    return trainer;
  }

  private constructor(spec: TrainingSpec, plan: LearningPlan, group: WorkerGroup, network: GradientNetwork) {
    this.#spec = spec;
    this.#plan = plan;
    this.#group = group;
    this.network = network;
    const programs = programsOf(network);
    this.layout = layOutValues(network, programs);
    const weights = initialWeights(network, plan.projections, spec.seed, plan.dataRateHz);
    const ranges = plan.constants.map((constant) => ({
      ...constant,
      range: makeParametrisation(constant.range, spec.dtMs),
    }));
    this.parameters = new TrainedParameters(network, programs, this.layout, weights, ranges);
    this.#feedback = network.projections.flatMap(({ backward, name }, k) =>
      backward === "feedback" ? [{ projection: k, name: `${name}.feedback`, values: this.#drawFeedback(k) }] : [],
    );
    const groups = this.parameters.groups.map(({ name, values, isConstant }) => ({
      name,
      size: values.length,
      decays: !isConstant,
      ...(isConstant && plan.constantsRate !== null ? { rate: plan.constantsRate } : {}),
    }));
    const adaptive = plan.feedback === "adaptive" ? this.#feedback : [];
    this.#optimiser = makeOptimiser(plan.optimiser, [
      ...groups,
      ...adaptive.map(({ name, values }) => ({ name, size: values.length })),
    ]);
    this.#schedule = makeSchedule(plan.schedules, { epochs: plan.epochs, stepsPerEpoch: plan.stepsPerEpoch });
    this.#cut = spec.populations.flatMap(({ surrogate }, population) =>
      surrogate !== undefined && isCut(surrogate)
        ? [{ population, surrogate: complete("surrogate", surrogate, surrogateKinds) as Required<CutSurrogate> }]
        : [],
    );
    this.#constraints = [];
    this.#penalties = [];
    this.#rewired = plan.projections.flatMap(({ deepR, signs }, k) =>
      deepR === null ? [] : [{ projection: k, strength: deepR, at: this.#rewirable(k, signs) }],
    );
    for (const { name, values, projection } of this.parameters.groups) {
      if (projection === null) continue;
      const { constraint, signs, penalty } = plan.projections[projection];
      if (constraint !== null) {
        const { connectivity, name: called } = network.projections[projection];
        const { rows, stride } = this.layout.weights[projection];
        const rowStarts = isSparse(connectivity)
          ? connectivity.offsets
          : Array.from({ length: rows + 1 }, (_, i) => i * stride);
        const ofRows = signs !== null && isShared(connectivity) ? signsOfRows(connectivity, signs, called) : signs;
        const made = makeConstraint(constraint, { rowStarts, ...(ofRows === null ? {} : { signs: ofRows }) });
        this.#constraints.push({ values, constraint: made });
        made(values);
      }
      if (penalty !== null) this.#penalties.push({ group: name, values, penalty: makeWeightPenalty(penalty) });
    }
  }

  /** Learns from one batch. */
  async trainBatch(batch: readonly LabelledEvents[]): Promise<BatchReport> {
    const weight = this.#plan.overBatch === "mean" ? 1 / batch.length : 1;
    const lanes = this.#deal(batch);
    const values = this.#sent ? null : this.parameters.block;
    const batchCounts = await this.#countSpikes(lanes, values);
    const results = await this.#runAll(lanes, (own) => ({
      values: batchCounts === null ? values : null,
      lanes: own,
      weight,
      train: true,
      batchCounts,
      step: this.steps,
    }));
    const tree = new TreeSum<Float32Array<ArrayBuffer>>(addArrays);
    for (const { nodes } of results) for (const node of nodes) tree.add(node);
    const sum = tree.nodes[0]?.sum;
    if (tree.nodes.length !== 1 || !sum) throw new Error("the lanes of a batch do not add up to one sum");
    const gradients = this.parameters.gradients(sum);
    for (const { group, values: weights, penalty } of this.#penalties) penalty(weights, gradients[group]);
    if (this.#plan.feedback === "adaptive") {
      for (const { projection, name, values: matrix } of this.#feedback) {
        // The matrix has rows of padding that the weights have not; these stay zero.
        gradients[name] = new Float32Array(matrix.length);
        gradients[name].set(gradients[this.network.projections[projection].name]);
      }
    }
    for (const { projection, strength, at } of this.#rewired) {
      addSparsityPressure(at, gradients[this.network.projections[projection].name], strength);
    }
    const all = Object.values(gradients);
    const gradientNorms = Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, globalNorm([g])]));
    const { clipNorm } = this.#plan;
    const gradientNorm = clipNorm === null ? globalNorm(all) : clipGlobalNorm(all, clipNorm);
    const parameters = Object.fromEntries([
      ...this.parameters.groups.map(({ name, values: moved }) => [name, moved]),
      ...(this.#plan.feedback === "adaptive" ? this.#feedback.map(({ name, values: moved }) => [name, moved]) : []),
    ]);
    this.#optimiser.step(parameters, gradients, this.#schedule.factor(this.#optimiser.state().steps));
    for (const { values: weights, constraint } of this.#constraints) constraint(weights);
    await this.#rewire();
    const wider = await this.#widen(results);
    this.parameters.refresh();
    this.#sent = false;
    if (this.#plan.feedback === "adaptive") await this.#sendFeedback();

    const { losses, predicted } = inOrder(batch.length, lanes, results, this.#outputs);
    let [loss, correct] = [0, 0];
    for (const [i, sample] of batch.entries()) {
      loss += losses[i] / weight;
      if (predicted[i] === labelOf(sample)) correct++;
    }
    return {
      loss,
      regularisation: results.reduce((total, result) => total + result.regularisation, 0),
      correct,
      samples: batch.length,
      gradientNorms,
      gradientNorm,
      ...totals(results),
      support: results[0].support,
      widened: wider,
    };
  }

  /** Runs samples without learning. */
  async test(samples: readonly LabelledEvents[]): Promise<SampleResults> {
    const lanes = this.#deal(samples);
    const values = this.#sent ? null : this.parameters.block;
    const results = await this.#runAll(lanes, (own) => ({
      values,
      lanes: own,
      weight: 1,
      train: false,
      batchCounts: null,
    }));
    this.#sent = true;
    return { ...inOrder(samples.length, lanes, results, this.#outputs), ...totals(results) };
  }

  /** Tells schedules that watch the loss (plateau) how an epoch ended. */
  reportLoss(loss: number): void {
    this.#schedule.report(loss);
  }

  /** Updates of the parameters so far. */
  get steps(): number {
    return this.#optimiser.state().steps;
  }

  /** Factor of the schedule for the next step. */
  get rateFactor(): number {
    return this.#schedule.factor(this.#optimiser.state().steps);
  }

  values(): NetworkValues<Float32Array<ArrayBuffer>> {
    return this.parameters.values();
  }

  /** Copies: what comes after does not change them. */
  state(): TrainerState {
    const { steps, arrays } = this.#optimiser.state();
    const copy = (entries: (readonly [string, Float32Array])[]) =>
      Object.fromEntries(entries.map(([name, array]) => [name, array.slice()]));
    return {
      parameters: copy(this.parameters.groups.map(({ name, values }) => [name, values] as const)),
      feedback: copy(this.#feedback.map(({ name, values }) => [name, values] as const)),
      optimiser: { steps, arrays: copy(Object.entries(arrays)) },
      schedule: this.#schedule.state(),
      synapses: Object.fromEntries(
        this.#rewired.map(({ projection, at }) => [
          this.network.projections[projection].name,
          { offsets: at.rowStarts.slice(), targets: at.targets.slice(), signs: at.signs.slice() },
        ]),
      ),
      surrogateWidths: Object.fromEntries(
        this.#cut.map(({ population, surrogate }) => [this.network.populations[population].name, surrogate.width]),
      ),
    };
  }

  /** @throws UserError when the state is of another network or optimiser; nothing is changed then. */
  async restore(state: TrainerState): Promise<void> {
    this.#checkShapes(state);
    this.#optimiser.restore(state.optimiser);
    this.#schedule.restore(state.schedule);
    for (const [c, { population, surrogate }] of this.#cut.entries()) {
      const width = state.surrogateWidths?.[this.network.populations[population].name];
      if (width !== undefined && width !== surrogate.width) await this.#setWidth(c, width);
    }
    await this.restoreParameters(state);
  }

  /** The parameters alone: to test or to use what was learned. */
  async restoreParameters(state: Pick<TrainerState, "parameters" | "feedback" | "synapses">): Promise<void> {
    this.#checkShapes(state);
    for (const { projection, at } of this.#rewired) {
      const { offsets, targets, signs } = state.synapses[this.network.projections[projection].name];
      at.rowStarts.set(offsets);
      at.targets.set(targets);
      at.signs.set(signs);
      await this.#sendSynapses(projection, at);
    }
    for (const { name, values } of this.parameters.groups) values.set(state.parameters[name]);
    for (const { name, values } of this.#feedback) values.set(state.feedback[name]);
    this.parameters.refresh();
    this.#sent = false;
    await this.#sendFeedback();
  }

  close(): Promise<void> {
    return this.#group.close();
  }

  /** The arrays of a sparse projection as rewiring changes them; signs are those of the weights at the start. */
  #rewirable(k: number, signOfPre: Int8Array | null): RewirableProjection {
    const { connectivity, name, source, target } = this.network.projections[k];
    const group = this.parameters.groups.find(({ projection }) => projection === k);
    if (isShared(connectivity)) {
      throw new UserError(
        `projection "${name}" is to be rewired, but its connections share their weights, as a convolution's do; ` +
          "rewiring moves single synapses: set deepR to null there",
      );
    }
    if (!isSparse(connectivity) || group === undefined) {
      throw new UserError(`projection "${name}" is to be rewired, but it is not sparse or not trained`);
    }
    const { offsets: rowStarts, targets } = connectivity;
    return {
      pre: rowStarts.length - 1,
      post: this.network.populations[target].size,
      rowStarts,
      targets,
      weights: group.values,
      signs: Int8Array.from(group.values, (w) => (w < 0 ? -1 : 1)),
      ...(signOfPre === null ? {} : { signOfPre }),
      noAutapses: source === target,
    };
  }

  async #rewire(): Promise<void> {
    const step = this.#optimiser.state().steps;
    for (const { projection, at } of this.#rewired) {
      // One stream per projection and step: 2^24 steps of 2^16 projections.
      const stream = streamOf(streamKind.rewiring, projection * 2 ** 24 + step);
      const { count, origin } = rewire(at, new Philox(this.#spec.seed), stream);
      if (count === 0) continue;
      this.#optimiser.reorder(this.network.projections[projection].name, origin);
      await this.#sendSynapses(projection, at);
    }
  }

  async #sendSynapses(projection: number, { rowStarts: offsets, targets }: RewirableProjection): Promise<void> {
    await this.#group.callAll("setSparse", () => [projection, { offsets, targets }]);
  }

  #checkShapes({ parameters, feedback, synapses }: Pick<TrainerState, "parameters" | "feedback" | "synapses">): void {
    for (const { projection, at } of this.#rewired) {
      const { name } = this.network.projections[projection];
      if (synapses[name]?.targets.length === at.targets.length) continue;
      throw new UserError(
        `the saved state has no synapses for the rewired projection "${name}"; it belongs to another network`,
      );
    }
    const wanted = [
      ...this.parameters.groups.map(({ name, values }) => ({ name, values, given: parameters[name] })),
      ...this.#feedback.map(({ name, values }) => ({ name, values, given: feedback[name] })),
    ];
    for (const { name, values, given } of wanted) {
      if (given?.length === values.length) continue;
      throw new UserError(
        `the saved state has ${given?.length ?? "no"} values for "${name}", but the network has ${values.length}; ` +
          "it belongs to another network",
      );
    }
  }

  get #outputs(): number {
    return this.network.populations[this.network.readout].size;
  }

  /** Sample i goes to lane i mod lanes. */
  #deal(batch: readonly LabelledEvents[]): Lane[] {
    return Array.from({ length: this.#spec.lanes }, (_, lane) => ({
      lane,
      samples: batch.filter((_, i) => i % this.#spec.lanes === lane),
    }));
  }

  #runAll(lanes: readonly Lane[], request: (own: Lane[]) => RunRequest): Promise<RunResult[]> {
    return this.#group.callAll<RunResult>("run", (rank) => {
      const { from, to } = lanesOf(rank, this.#group.size, lanes.length);
      return [request(lanes.slice(from, to))];
    });
  }

  /** Sums that regularisers of whole batches need before the way back; null where there are none. */
  async #countSpikes(lanes: readonly Lane[], values: Float32Array | null): Promise<(BatchCount | null)[] | null> {
    const needed = this.#spec.regularisers.some(
      ({ description: d }) => d.type === "spikeCount" || (d.type === "meanRate" && d.over === "batch"),
    );
    if (!needed) return null;
    const parts = await this.#group.callAll<(BatchCount | null)[]>("countSpikes", (rank) => {
      const { from, to } = lanesOf(rank, this.#group.size, lanes.length);
      return [{ values, lanes: lanes.slice(from, to), step: this.steps } satisfies CountRequest];
    });
    return parts[0].map((first, r) => {
      if (first === null) return null;
      const counts = new Float64Array(first.counts.length);
      for (const part of parts) for (let i = 0; i < counts.length; i++) counts[i] += part[r]!.counts[i];
      return { counts, steps: parts.reduce((sum, part) => sum + part[r]!.steps, 0) };
    });
  }

  /** Doubles the width of cut surrogates that nobody came within; decided from the whole batch. */
  async #widen(results: readonly RunResult[]): Promise<{ population: number; width: number }[]> {
    const wider: { population: number; width: number }[] = [];
    for (const [c, { population, surrogate }] of this.#cut.entries()) {
      const nearest = Math.min(...results.map((result) => result.nearest[population]));
      const width = widened(surrogate.width, nearest);
      if (width === surrogate.width) continue;
      await this.#setWidth(c, width);
      wider.push({ population, width });
    }
    return wider;
  }

  async #setWidth(c: number, width: number): Promise<void> {
    const { population, surrogate } = this.#cut[c];
    this.#cut[c] = { population, surrogate: { ...surrogate, width } };
    await this.#group.callAll("setSurrogate", () => [population, this.#cut[c].surrogate]);
  }

  /** Random e-prop's matrix: normal with the standard deviation 1/sqrt(fan-in) of its weights. */
  #drawFeedback(projection: number): Float32Array<ArrayBuffer> {
    const { rows, columns, stride } = this.layout.weights[projection];
    const padded = 4 * Math.ceil(rows / 4);
    const spec = this.network.projections[projection];
    const fanIn = connectionCount(this.network, spec) / this.network.populations[spec.target].size;
    const draws = new Float64Array(rows * columns);
    new Philox(this.#spec.seed).normal(streamOf(streamKind.feedback, projection), 0, draws);
    const values = new Float32Array(padded * stride);
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < columns; i++) values[r * stride + i] = draws[r * columns + i] / Math.sqrt(fanIn);
    }
    return values;
  }

  async #sendFeedback(): Promise<void> {
    for (const { projection, values } of this.#feedback) {
      await this.#group.callAll("setFeedback", () => [projection, values]);
    }
  }
}

/**
 * The sign of every row of shared weights, from those of the sources that send through it.
 * @throws UserError where sources of both signs share a row
 */
function signsOfRows(
  { rows, offsets, weightRows }: SharedRows,
  signs: Int8Array,
  name: string,
): Int8Array<ArrayBuffer> {
  const ofRows = new Int8Array(rows);
  for (const [source, sign] of signs.entries()) {
    for (let block = offsets[source]; block < offsets[source + 1]; block++) {
      const row = weightRows[block];
      if (ofRows[row] === -sign) {
        throw new UserError(
          `projection "${name}" shares weights between neurons that excite and neurons that inhibit, so Dale's law cannot ` +
            "hold for them; give all neurons of a channel one sign",
        );
      }
      ofRows[row] = sign;
    }
  }
  return ofRows;
}

/** Per-sample results from the order of lanes to that of the batch. */
function inOrder(count: number, lanes: readonly Lane[], results: readonly RunResult[], outputs: number) {
  const losses = new Float64Array(count);
  const predicted = new Int32Array(count);
  const probabilities = new Float64Array(count * outputs);
  for (const [rank, result] of results.entries()) {
    const { from, to } = lanesOf(rank, results.length, lanes.length);
    let at = 0;
    for (let lane = from; lane < to; lane++) {
      for (let s = 0; s < lanes[lane].samples.length; s++, at++) {
        const i = s * lanes.length + lane;
        losses[i] = result.losses[at];
        predicted[i] = result.predicted[at];
        probabilities.set(result.probabilities.subarray(at * outputs, (at + 1) * outputs), i * outputs);
      }
    }
  }
  return { losses, predicted, probabilities };
}

function totals(results: readonly RunResult[]): { counts: Float64Array[]; steps: number } {
  const counts = results[0].counts.map(({ length }) => new Float64Array(length));
  for (const result of results) {
    for (const [p, own] of result.counts.entries()) for (let i = 0; i < own.length; i++) counts[p][i] += own[i];
  }
  return { counts, steps: results.reduce((sum, { steps }) => sum + steps, 0) };
}
