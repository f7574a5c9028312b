/**
 * Optimisers: the update rule of an experiment applied to named groups of parameters, with state that can be kept in a
 * checkpoint and put back.
 */
import { dataError, didYouMean } from "../../base/errors.ts";
import { type OptimiserDescription, type UpdateRule, updateRule } from "./update-rules.ts";

export interface ParameterGroup {
  readonly name: string;
  /** Number of parameters. */
  readonly size: number;
  /** Learning rate of this group. Default: that of the optimiser. */
  readonly rate?: number;
  /** Whether weight decay (adamw) applies: yes for weights (default), no for constants such as time constants. */
  readonly decays?: boolean;
}

/** Parameters, or their gradients, by name of the group. */
export type Parameters = Readonly<Record<string, Float32Array>>;

/** All that an optimiser remembers. */
export interface OptimiserState {
  /** Steps taken. */
  readonly steps: number;
  /** Arrays by "group.quantity", such as "hidden.weights.firstMoment"; as long as the group. */
  readonly arrays: Parameters;
}

export class Optimiser {
  readonly #rule: UpdateRule;
  readonly #groups: readonly ParameterGroup[];
  /** Arrays of every group, in the order of the rule. */
  readonly #state: ReadonlyMap<string, readonly Float32Array[]>;
  #steps = 0;

  /** Use `makeOptimiser`. */
  constructor(rule: UpdateRule, groups: readonly ParameterGroup[]) {
    this.#rule = rule;
    this.#groups = groups;
    this.#state = new Map(
      groups.map(({ name, size }) => [name, rule.state.map(({ initial }) => new Float32Array(size).fill(initial))]),
    );
  }

  /**
   * One step: changes the parameters in place.
   * @param factor of the schedule, on the rate of every group
   */
  step(parameters: Parameters, gradients: Parameters, factor = 1): void {
    this.#steps++;
    for (const { name, rate = this.#rule.rate, decays = true } of this.#groups) {
      this.#rule.update(parameters[name], gradients[name], this.#arraysOf(name), rate * factor, this.#steps, decays);
    }
  }

  /**
   * Follows parameters that changed places (Deep-R): place i takes the state of place origin[i] before, or that of the
   * start where origin[i] is -1.
   */
  reorder(group: string, origin: Int32Array): void {
    this.#arraysOf(group).forEach((array, k) => {
      const before = array.slice();
      for (let i = 0; i < array.length; i++) {
        array[i] = origin[i] < 0 ? this.#rule.state[k].initial : before[origin[i]];
      }
    });
  }

  /** The arrays are those in use; copy what must outlast the next step. */
  state(): OptimiserState {
    const arrays: Record<string, Float32Array> = {};
    for (const [group, ofGroup] of this.#state) {
      ofGroup.forEach((array, k) => {
        arrays[`${group}.${this.#rule.state[k].name}`] = array;
      });
    }
    return { steps: this.#steps, arrays };
  }

  /** Copies a state back. @throws UserError if it belongs to another optimiser or other groups; nothing is changed then */
  restore(state: OptimiserState): void {
    const own = this.state().arrays;
    const names = Object.keys(own);
    for (const name of Object.keys(state.arrays)) {
      if (Object.hasOwn(own, name)) continue;
      throw dataError(
        `the state of the optimiser has an array "${name}", which this optimiser does not${didYouMean(name, names)}; resume with the optimiser that the run began with`,
      );
    }
    for (const name of names) {
      const length = state.arrays[name]?.length;
      if (length === own[name].length) continue;
      throw dataError(
        `the state of the optimiser has ${length ?? "no"} values for "${name}", but ${own[name].length} are needed; resume with the optimiser and the network that the run began with`,
      );
    }
    if (!Number.isSafeInteger(state.steps) || state.steps < 0) {
      throw dataError(`the state of the optimiser says that ${state.steps} steps were taken; the file is damaged`);
    }
    for (const name of names) own[name].set(state.arrays[name]);
    this.#steps = state.steps;
  }

  #arraysOf(group: string): readonly Float32Array[] {
    const arrays = this.#state.get(group);
    if (arrays === undefined) throw new RangeError(`the optimiser has no group "${group}"`);
    return arrays;
  }
}

/**
 * @param groups all that will be trained, in the order in which they are updated; names must differ
 * @param path where the description stands, for messages
 * @throws UserError for settings that are unknown or out of range
 */
export function makeOptimiser(
  description: OptimiserDescription,
  groups: readonly ParameterGroup[],
  path = "optimiser",
): Optimiser {
  return new Optimiser(updateRule(description, path), groups);
}
