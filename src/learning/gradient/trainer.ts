/**
 * Training by gradients: batches are dealt to workers, gradients come back as one sum, the optimiser moves the
 * parameters. The result does not depend on the number of workers (`lanes.ts`).
 */
import { UserError } from "../../base/errors.ts";
import type { WorkerGroup } from "../../device/cpu/group.ts";
import { initialWeights } from "../initialisation/draw.ts";
import { clipNorm, squaredNorm } from "../optimisers/gradient-norm.ts";
import { makeOptimiser, type Optimiser, type OptimiserState } from "../optimisers/optimiser.ts";
import { makeParametrisation } from "../optimisers/parametrisation.ts";
import { makeSchedule, type Schedule, type ScheduleState } from "../optimisers/schedule.ts";
import { compileNetwork } from "./compile.ts";
import { CutSurrogates } from "./cut-surrogates.ts";
import { FeedbackMatrices } from "./feedback.ts";
import { layOutValues, type ValueLayout } from "./layout.ts";
import type { LearningPlan } from "./learning-plan.ts";
import type { LabelledEvents } from "./member.ts";
import { MemberGroup } from "./member-group.ts";
import { TrainedParameters } from "./parameters.ts";
import { programsOf } from "./programs.ts";
import { type BatchReport, type SampleResults, score } from "./results.ts";
import { Rewiring, type SynapseState } from "./rewiring.ts";
import type { GradientNetwork, NetworkValues } from "./spec.ts";
import type { TrainingSpec } from "./training-spec.ts";
import { WeightRules } from "./weight-rules.ts";

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

/** What was learned, without what learning on needs. */
export type LearnedState = Pick<TrainerState, "parameters" | "feedback" | "synapses">;

export class GradientTrainer {
  readonly network: GradientNetwork;
  readonly layout: ValueLayout;
  readonly parameters: TrainedParameters;
  readonly #plan: LearningPlan;
  readonly #members: MemberGroup;
  readonly #optimiser: Optimiser;
  readonly #schedule: Schedule;
  readonly #feedback: FeedbackMatrices;
  readonly #rewiring: Rewiring;
  readonly #rules: WeightRules;
  readonly #cutSurrogates: CutSurrogates;
  /** What the optimiser moves, by group. */
  readonly #moved: Readonly<Record<string, Float32Array>>;

  static async create(spec: TrainingSpec, plan: LearningPlan, group: WorkerGroup): Promise<GradientTrainer> {
    const members = new MemberGroup(group, spec);
    const network = await compileNetwork(spec);
    const trainer = new GradientTrainer(spec, plan, members, network);
    await members.create();
    await trainer.#feedback.send(trainer.#feedback.all);
    return trainer;
  }

  private constructor(spec: TrainingSpec, plan: LearningPlan, members: MemberGroup, network: GradientNetwork) {
    this.#plan = plan;
    this.#members = members;
    this.network = network;
    const programs = programsOf(network);
    this.layout = layOutValues(network, programs);
    const weights = initialWeights(network, plan.projections, spec.seed, plan.dataRateHz);
    const ranges = plan.constants.map((constant) => ({
      ...constant,
      range: makeParametrisation(constant.range, spec.dtMs),
    }));
    this.parameters = new TrainedParameters(network, programs, this.layout, weights, ranges);
    const { groups } = this.parameters;
    this.#feedback = new FeedbackMatrices(network, this.layout, plan.feedback, spec.seed, members);
    this.#optimiser = makeOptimiser(plan.optimiser, [
      ...groups.map(({ name, values, isConstant }) => ({
        name,
        size: values.length,
        decays: !isConstant,
        ...(isConstant && plan.constantsRate !== null ? { rate: plan.constantsRate } : {}),
      })),
      ...this.#feedback.trained.map(({ name, values }) => ({ name, size: values.length })),
    ]);
    this.#moved = valuesByName([...groups, ...this.#feedback.trained]);
    this.#schedule = makeSchedule(plan.schedules, { epochs: plan.epochs, stepsPerEpoch: plan.stepsPerEpoch });
    this.#cutSurrogates = new CutSurrogates(spec.populations, members);
    this.#rewiring = new Rewiring(network, groups, plan.projections, spec.seed, members);
    this.#rules = new WeightRules(network, this.layout, groups, plan.projections);
    this.#rules.constrain();
  }

  /** Learns from one batch. */
  async trainBatch(batch: readonly LabelledEvents[]): Promise<BatchReport> {
    const weight = this.#plan.overBatch === "mean" ? 1 / batch.length : 1;
    const results = await this.#members.train(batch, this.parameters.block, weight, this.steps);

    const gradients = this.parameters.gradients(results.gradients);
    this.#rules.addPenalties(gradients);
    this.#feedback.addGradients(gradients);
    this.#rewiring.addPressure(gradients);
    const squares = Object.entries(gradients).map(([name, g]): [string, number] => [name, squaredNorm(g)]);
    const gradientNorms = Object.fromEntries(squares.map(([name, square]) => [name, Math.sqrt(square)]));
    const gradientNorm = Math.sqrt(squares.reduce((sum, [, square]) => sum + square, 0));
    if (this.#plan.clipNorm !== null) clipNorm(Object.values(gradients), gradientNorm, this.#plan.clipNorm);

    this.#optimiser.step(this.#moved, gradients, this.rateFactor);
    this.#rules.constrain();
    await this.#rewiring.rewire(this.#optimiser);
    const widened = await this.#cutSurrogates.widen(results.nearest);
    this.parameters.refresh();
    this.#members.forgetValues();
    await this.#feedback.send(this.#feedback.trained);

    const { counts, steps } = results.samples;
    return {
      ...score(batch, results.samples, weight),
      regularisation: results.regularisation,
      samples: batch.length,
      gradientNorms,
      gradientNorm,
      counts,
      steps,
      support: results.support,
      widened,
    };
  }

  /** Runs samples without learning. */
  test(samples: readonly LabelledEvents[]): Promise<SampleResults> {
    return this.#members.test(samples, this.parameters.block);
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
    return this.#schedule.factor(this.steps);
  }

  values(): NetworkValues<Float32Array<ArrayBuffer>> {
    return this.parameters.values();
  }

  /** Copies: what comes after does not change them. */
  state(): TrainerState {
    const { steps, arrays } = this.#optimiser.state();
    return {
      parameters: copies(valuesByName(this.parameters.groups)),
      feedback: copies(valuesByName(this.#feedback.all)),
      optimiser: { steps, arrays: copies(arrays) },
      schedule: this.#schedule.state(),
      synapses: this.#rewiring.state(),
      surrogateWidths: this.#cutSurrogates.widths(),
    };
  }

  /** @throws UserError when the state is of another network or optimiser; nothing is changed then. */
  async restore(state: TrainerState): Promise<void> {
    this.#check(state);
    this.#optimiser.restore(state.optimiser);
    this.#schedule.restore(state.schedule);
    await this.#cutSurrogates.restore(state.surrogateWidths ?? {});
    await this.restoreParameters(state);
  }

  /** The parameters alone: to test or to use what was learned. */
  async restoreParameters(state: LearnedState): Promise<void> {
    this.#check(state);
    await this.#rewiring.restore(state.synapses);
    for (const { name, values } of this.parameters.groups) values.set(state.parameters[name]);
    for (const { name, values } of this.#feedback.all) values.set(state.feedback[name]);
    this.parameters.refresh();
    this.#members.forgetValues();
    await this.#feedback.send(this.#feedback.all);
  }

  close(): Promise<void> {
    return this.#members.close();
  }

  #check({ parameters, feedback, synapses }: LearnedState): void {
    this.#rewiring.check(synapses);
    const wanted = [
      ...this.parameters.groups.map(({ name, values }) => ({ name, values, given: parameters[name] })),
      ...this.#feedback.all.map(({ name, values }) => ({ name, values, given: feedback[name] })),
    ];
    for (const { name, values, given } of wanted) {
      if (given?.length === values.length) continue;
      throw new UserError(
        `the saved state has ${given?.length ?? "no"} values for "${name}", but the network has ${values.length}; ` +
          "it belongs to another network",
      );
    }
  }
}

type Arrays = Readonly<Record<string, Float32Array>>;

const valuesByName = (groups: readonly { readonly name: string; readonly values: Float32Array }[]): Arrays =>
  Object.fromEntries(groups.map(({ name, values }) => [name, values]));

const copies = (arrays: Arrays): Arrays =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.slice()]));
