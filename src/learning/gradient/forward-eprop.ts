/**
 * e-prop in the form of its authors: traces at every synapse, forwards in time (Bellec et al., Nat. Commun. 11:3625, 2020,
 * eq. 1; for LIF and ALIF neurons see their Methods). The page to read beside `reference.ts`, which computes the same
 * gradients backwards from traces of neurons alone; `docs/learning-rules.md` shows that both are one sum in two orders. In
 * plain float64, for any model.
 *
 * A line leads into neuron j: a synapse with amplitude a(t) = what arrives through it, the bias or a constant with a = 1.
 * With the tangent of the neuron's step (`forward-eprop-tangent.ts`) as rows over its states and its input:
 *
 *   e(t)   = spike . [eps(t), a(t)]             eligibility trace: d z_j(t) / d (line), nothing passing through other neurons
 *   eps(t+1) = next [eps(t), a(t)]              eligibility vector: d (states of j) / d (line)
 *   ebar(t) = (readout's filter of e)           through delay and filter of the readout, here at the line
 *   g += L_j(t) ebar(t) + cost_j(t) e(t)        L_j(t) = sum_k B_jk dloss/dy_k(t)
 *
 * Lines into a readout neuron k have no e: g += dloss/dy_k(t) eps_0(t+1), the first state being y_k. Where connections
 * share weights there is a line for every connection, and the gradient of a weight is the sum over its lines: exact, as the
 * gradient by one number that stands in several places is the sum over its places.
 */
import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { alongRow, type RowShape } from "../../kernels/rows/reference.ts";
import { constantGradients } from "../../model/constant-gradients.ts";
import { parametersOf, SteppedNetwork, type Values } from "./forward-eprop-network.ts";
import { Tangent } from "./forward-eprop-tangent.ts";
import type { OutputLoss, ReferenceOptions } from "./reference.ts";
import { type GradientNetwork, inputOf, type NetworkValues, sourceRange, synapseCount } from "./spec.ts";

/** From a hidden population to outputs that filter alike: what reaches a neuron's synapses as one learning signal. */
export interface ErrorPath {
  readonly projection: number;
  readonly source: number;
  /** Number of the readout's input that the projection leads into. */
  readonly into: number;
  readonly delaySteps: number;
  /** Of these the first stands for all where their filter is asked for. */
  readonly outputs: readonly number[];
}

/**
 * The paths of errors back to hidden populations.
 * @throws UserError where derivatives flow between hidden populations: that is no e-prop
 */
export function errorPaths(network: GradientNetwork, readout: Tangent): ErrorPath[] {
  const { size, model, trainable } = network.populations[network.readout];
  // Outputs of a linear readout whose constants are equal, and stay so, have one filter.
  const isShared = readout.program.isLinear && trainable.length === 0;
  const kinds = new Map<string, number[]>();
  for (let k = 0; k < size; k++) {
    const numbers = Object.values(model.parameters).map((value) => (typeof value === "number" ? value : value[k]));
    const kind = isShared ? numbers.join() : String(k);
    kinds.set(kind, [...(kinds.get(kind) ?? []), k]);
  }
  return network.projections.flatMap((spec, projection): ErrorPath[] => {
    const { source, target, backward, delaySteps, name } = spec;
    if (source === "input" || backward === "none") return [];
    if (target === network.readout) {
      const into = inputOf(network, spec);
      return [...kinds.values()].map((outputs) => ({ projection, source, into, delaySteps, outputs }));
    }
    throw new UserError(
      `derivatives flow back through "${name}", between neurons that spike; e-prop has none there ` +
        '(backward: "none"), and forwards in time they cannot be had. Use the adjoint form for them',
    );
  });
}

/** Per line: e of the last steps, for the delay, and the filter's state; both of one path. */
interface Filtered {
  readonly path: ErrorPath;
  /** By delay: e of 0, 1, ... steps ago. */
  readonly past: Float64Array[];
  readonly states: Float64Array[];
}

/** All connections of a projection, source by source. */
interface Connections {
  /** Those of source i are `offsets[i]` .. `offsets[i + 1]`. */
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
  readonly weights: Uint32Array;
}

function connectionsOf(shape: RowShape): Connections {
  const [targets, weights]: [number[], number[]] = [[], []];
  const offsets = new Uint32Array(shape.sources + 1);
  for (let i = 0; i < shape.sources; i++) {
    alongRow(shape, i, (weight, target) => {
      targets.push(target);
      weights.push(weight);
    });
    offsets[i + 1] = targets.length;
  }
  return { offsets, targets: Uint32Array.from(targets), weights: Uint32Array.from(weights) };
}

/** Lines of one kind: all connections of a projection, all biases or all constants of a name. */
class Lines {
  readonly gradient: Float64Array;
  readonly #targets: Uint32Array;
  readonly #tangent: Tangent;
  readonly #column: number;
  readonly #eligibility: Float64Array[];
  readonly #filtered: Filtered[];

  constructor(targets: Uint32Array, tangent: Tangent, column: number, paths: readonly ErrorPath[], readout: Tangent) {
    const zeros = () => new Float64Array(targets.length);
    this.gradient = zeros();
    this.#targets = targets;
    this.#tangent = tangent;
    this.#column = column;
    this.#eligibility = tangent.program.states.map(zeros);
    this.#filtered = paths.map((path) => ({
      path,
      past: Array.from({ length: path.delaySteps + 1 }, zeros),
      states: readout.program.states.map(zeros),
    }));
  }

  /** One step of a line: the traces and the gradient. @returns e */
  #advance(line: number, amplitude: number): number {
    const j = this.#targets[line];
    const along = (row: readonly (Float64Array | null)[]): number => {
      let total = (row[this.#column]?.[j] ?? 0) * amplitude;
      for (const [k, component] of this.#eligibility.entries()) total += (row[k]?.[j] ?? 0) * component[line];
      return total;
    };
    const e = along(this.#tangent.spike);
    const next = this.#tangent.next.map(along);
    for (const [k, value] of next.entries()) this.#eligibility[k][line] = value;
    return e;
  }

  advanceHidden(amplitudes: Float64Array, cost: (j: number) => number, signals: Signals, readout: Tangent): void {
    for (const [line, amplitude] of amplitudes.entries()) {
      const j = this.#targets[line];
      const e = this.#advance(line, amplitude);
      this.gradient[line] += cost(j) * e;
      for (const { path, past, states } of this.#filtered) {
        for (let d = past.length - 1; d > 0; d--) past[d][line] = past[d - 1][line];
        past[0][line] = e;
        const next = readout.next.map((row) => {
          const k = path.outputs[0];
          let total = (row[readout.firstInput + path.into]?.[k] ?? 0) * past[path.delaySteps][line];
          for (const [s, state] of states.entries()) total += (row[s]?.[k] ?? 0) * state[line];
          return total;
        });
        for (const [s, value] of next.entries()) states[s][line] = value;
        this.gradient[line] += signals(path, j) * states[0][line];
      }
    }
  }

  advanceReadout(amplitudes: Float64Array, error: (k: number) => number): void {
    for (const [line, amplitude] of amplitudes.entries()) {
      this.#advance(line, amplitude);
      this.gradient[line] += error(this.#targets[line]) * this.#eligibility[0][line];
    }
  }
}

/** L_j of a path. */
type Signals = (path: ErrorPath, j: number) => number;

export interface ForwardResult {
  readonly loss: number;
  /** [step * outputs + output] */
  readonly outputs: Float64Array;
  /** By population: z, [step * size + neuron]. */
  readonly spikes: readonly Float64Array[];
  readonly gradients: NetworkValues<Float64Array>;
}

/**
 * Runs one sample; arguments as for `referenceGradients`. The loss may look at the whole sample, so its derivative is had
 * from a run without learning first; a loss of every step for itself would not need that.
 * @throws UserError for networks in which derivatives flow between hidden populations
 */
export function forwardEprop(
  network: GradientNetwork,
  values: Values,
  sample: StepEvents,
  loss: OutputLoss,
  costs: readonly (ArrayLike<number> | null)[] = [],
  options: Pick<ReferenceOptions, "feedback" | "sent"> = {},
): ForwardResult {
  const { steps } = sample;
  const { feedback, sent } = options;
  const stepped = new SteppedNetwork(network, values, undefined, sent);
  const tangents = stepped.populations.map(
    (population, p) => new Tangent(population, network.dtMs, p === network.readout),
  );
  const readout = tangents[network.readout];
  const paths = errorPaths(network, readout);
  const { size: outputCount } = network.populations[network.readout];

  const outputs = new Float64Array(steps * outputCount);
  const spikes = network.populations.map(({ size }) => new Float64Array(steps * size));
  for (let t = 0; t < steps; t++) {
    stepped.advance(sample, t);
    outputs.set(stepped.populations[network.readout].states[0], t * outputCount);
    for (const [p, { z }] of stepped.populations.entries()) spikes[p].set(z, t * z.length);
  }
  const { loss: value, derivative } = loss(outputs, steps);

  const linesInto = (p: number, targets: Uint32Array, column: number) =>
    new Lines(
      targets,
      tangents[p],
      column,
      paths.filter(({ source }) => source === p),
      readout,
    );
  const everyNeuron = (p: number) => Uint32Array.from({ length: network.populations[p].size }, (_, j) => j);
  const connections = stepped.shapes.map(connectionsOf);
  const lines = network.projections.map((projection, k) => {
    const { target } = projection;
    return linesInto(target, connections[k].targets, tangents[target].firstInput + inputOf(network, projection));
  });
  const biases = network.populations.map((_, p) => linesInto(p, everyNeuron(p), tangents[p].firstInput));
  const constants = tangents.map(({ program, firstConstant }, p) =>
    program.constants.map((_, c) => linesInto(p, everyNeuron(p), firstConstant + c)),
  );

  stepped.rest();
  for (let t = 0; t < steps; t++) {
    stepped.advance(sample, t);
    for (const tangent of tangents) tangent.update();
    const error = (k: number): number => derivative[t * outputCount + k];
    const signals: Signals = ({ projection, source, outputs: alike }, j) => {
      const spec = network.projections[projection];
      const { backward, gain = 1 } = spec;
      const { from, to } = sourceRange(network, spec);
      if (j < from || j >= to) return 0;
      const matrix = backward === "feedback" ? feedback![projection]! : values.weights[projection];
      let total = 0;
      alongRow(stepped.shapes[projection], j - from, (weight, k) => {
        if (alike.includes(k)) total += matrix[weight] * error(k);
      });
      return gain * (sent?.[source]?.[j] ?? 1) * total;
    };
    for (const [p, { size }] of network.populations.entries()) {
      const cost = costs[p];
      const costOf = (j: number): number => (cost ? cost[cost.length === size ? j : t * size + j] : 0);
      const advance = (some: Lines, amplitudes: Float64Array): void => {
        if (p === network.readout) some.advanceReadout(amplitudes, error);
        else some.advanceHidden(amplitudes, costOf, signals, readout);
      };
      for (const [k, projection] of network.projections.entries()) {
        if (projection.target !== p || !projection.trained) continue;
        advance(lines[k], amplitudesOf(stepped, k, connections[k]));
      }
      for (const some of [biases[p], ...constants[p]]) advance(some, new Float64Array(size).fill(1));
    }
  }
  return {
    loss: value,
    outputs,
    spikes,
    gradients: {
      weights: network.projections.map((projection, k) => {
        const gradient = new Float64Array(synapseCount(network, projection));
        for (const [line, weight] of connections[k].weights.entries()) gradient[weight] += lines[k].gradient[line];
        return gradient;
      }),
      bias: network.populations.map(({ bias }, p) => (bias ? biases[p].gradient : null)),
      constants: network.populations.map((spec, p) => {
        const byConstant = tangents[p].program.constants.map((name, c) => [name, constants[p][c].gradient] as const);
        const parameters = parametersOf(spec, values.constants[p]);
        const { split } = stepped.populations[p];
        const all = Object.fromEntries(byConstant);
        return constantGradients(split, spec.trainable, parameters, network.dtMs, spec.size, all);
      }),
    },
  };
}

/** What arrives through every connection of projection k in this step. */
function amplitudesOf(stepped: SteppedNetwork, k: number, { offsets, targets }: Connections): Float64Array {
  const amplitudes = new Float64Array(targets.length);
  const { gain = 1 } = stepped.network.projections[k];
  const { sources, values, count } = stepped.arrivals(k);
  for (let s = 0; s < count; s++) {
    amplitudes.fill(gain * values[s], offsets[sources[s]], offsets[sources[s] + 1]);
  }
  return amplitudes;
}
