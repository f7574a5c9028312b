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
 * Lines into a readout neuron k have no e: g += dloss/dy_k(t) eps_0(t+1), the first state being y_k.
 */
import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { alongRow } from "../../kernels/rows/reference.ts";
import { constantGradients } from "../../model/constant-gradients.ts";
import { parametersOf, SteppedNetwork, type Values } from "./forward-eprop-network.ts";
import { Tangent } from "./forward-eprop-tangent.ts";
import type { OutputLoss } from "./reference.ts";
import { type GradientNetwork, type NetworkValues, synapseCount } from "./spec.ts";

/** From a hidden population to outputs that filter alike: what reaches a neuron's synapses as one learning signal. */
export interface ErrorPath {
  readonly projection: number;
  readonly source: number;
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
  return network.projections.flatMap(({ source, target, backward, delaySteps, name }, projection): ErrorPath[] => {
    if (source === "input" || backward === "none") return [];
    if (target === network.readout) {
      return [...kinds.values()].map((outputs) => ({ projection, source, delaySteps, outputs }));
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

/** Lines of one kind: all synapses of a projection, all biases or all constants of a name. */
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
          let total = (row[readout.currentColumn]?.[k] ?? 0) * past[path.delaySteps][line];
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
  options: { readonly feedback?: readonly (ArrayLike<number> | null)[] } = {},
): ForwardResult {
  const { steps } = sample;
  const stepped = new SteppedNetwork(network, values);
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
  const synapses = network.projections.map((projection, k) => {
    const targets = new Uint32Array(synapseCount(network, projection));
    const { sources } = stepped.shapes[k];
    for (let i = 0; i < sources; i++) {
      alongRow(stepped.shapes[k], i, (synapse, target) => {
        targets[synapse] = target;
      });
    }
    return linesInto(projection.target, targets, tangents[projection.target].currentColumn);
  });
  const biases = network.populations.map((_, p) => linesInto(p, everyNeuron(p), tangents[p].currentColumn));
  const constants = tangents.map(({ program, currentColumn }, p) =>
    program.constants.map((_, c) => linesInto(p, everyNeuron(p), currentColumn + 1 + c)),
  );

  stepped.rest();
  for (let t = 0; t < steps; t++) {
    stepped.advance(sample, t);
    for (const tangent of tangents) tangent.update();
    const error = (k: number): number => derivative[t * outputCount + k];
    const signals: Signals = ({ projection, outputs: alike }, j) => {
      const isFeedback = network.projections[projection].backward === "feedback";
      const matrix = isFeedback ? options.feedback![projection]! : values.weights[projection];
      let total = 0;
      alongRow(stepped.shapes[projection], j, (synapse, k) => {
        if (alike.includes(k)) total += matrix[synapse] * error(k);
      });
      return total;
    };
    for (const [p, { size }] of network.populations.entries()) {
      const cost = costs[p];
      const costOf = (j: number): number => (cost ? cost[cost.length === size ? j : t * size + j] : 0);
      const advance = (lines: Lines, amplitudes: Float64Array): void => {
        if (p === network.readout) lines.advanceReadout(amplitudes, error);
        else lines.advanceHidden(amplitudes, costOf, signals, readout);
      };
      for (const [k, projection] of network.projections.entries()) {
        if (projection.target === p && projection.trained) advance(synapses[k], amplitudesOf(stepped, k, synapses[k]));
      }
      for (const lines of [biases[p], ...constants[p]]) advance(lines, new Float64Array(size).fill(1));
    }
  }
  return {
    loss: value,
    outputs,
    spikes,
    gradients: {
      weights: synapses.map(({ gradient }) => gradient),
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

/** What arrives at every synapse of projection k in this step. */
function amplitudesOf(stepped: SteppedNetwork, k: number, { gradient }: Lines): Float64Array {
  const amplitudes = new Float64Array(gradient.length);
  const { sources, values, count } = stepped.arrivals(k);
  for (let s = 0; s < count; s++) {
    alongRow(stepped.shapes[k], sources[s], (synapse) => {
      amplitudes[synapse] = values[s];
    });
  }
  return amplitudes;
}
