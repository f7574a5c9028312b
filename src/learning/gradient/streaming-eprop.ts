/**
 * e-prop without an end: sequences of any length in memory that does not grow with them, exactly.
 *
 * ```ts
 * const eprop = new StreamingEprop(network, values, { chunkSteps: 100 });
 * for (;;) {
 *   const gradients = eprop.push(eventsOfTheNextSteps, ({ outputs, steps }) => ({ errors: errorsOf(outputs, steps) }));
 * }
 * ```
 * The adjoint form needs the future of every spike, the forward form moves 24 bytes per synapse in every step. Here both
 * meet: eligibility vectors and filtered traces are carried at the synapses, but touched once per chunk. Within a chunk
 * everything is linear in what was carried and in the spikes, with coefficients of neurons alone, which sweeps back over
 * the chunk give (`streaming-eprop-population.ts`):
 *
 *   g        += sum over carried c of v_jc carried_c                 + sum over arriving spikes of a w_j(t)
 *   carried_c <- sum over carried c' of P_jcc' carried_c'            + sum over arriving spikes of a u_jc(t)
 *
 * Memory: per synapse one number for each component of the eligibility vector and of the readout's filter (and for each
 * step of delay to the readout); per neuron some numbers for each step of a chunk. Float64 throughout.
 */
import { UserError } from "../../base/errors.ts";
import type { StepEvents } from "../../data/labelled-set.ts";
import { alongRow, type RowShape } from "../../kernels/rows/reference.ts";
import { constantGradients } from "../../model/constant-gradients.ts";
import { type ErrorPath, errorPaths } from "./forward-eprop.ts";
import { parametersOf, SteppedNetwork, type Values } from "./forward-eprop-network.ts";
import { Tangent } from "./forward-eprop-tangent.ts";
import { type GradientNetwork, inputOf, isShared, type NetworkValues, sourceRange, synapseCount } from "./spec.ts";
import { CarriedLines } from "./streaming-eprop-lines.ts";
import { guardStreaming, streamingBytes } from "./streaming-eprop-memory.ts";
import { ChunkedPopulation, type Sweep } from "./streaming-eprop-population.ts";

export interface StreamingOptions {
  /** The most steps that are pushed at once. Longer chunks touch synapses less often and take more memory. */
  readonly chunkSteps: number;
  /** Own matrices of projections with `backward: "feedback"`, by projection, one number per weight. */
  readonly feedback?: readonly (ArrayLike<number> | null)[];
  /** The most memory that may be taken. Default 2 GiB. */
  readonly memoryBytes?: number;
}

/** What a chunk of steps led to. */
export interface Chunk {
  readonly steps: number;
  /** [step * outputs + output] */
  readonly outputs: Float64Array;
  /** By population: z, [step * size + neuron]. */
  readonly spikes: readonly Float64Array[];
}

/** What should become of it. */
export interface LearningSignals {
  /** dloss/dy, [step * outputs + output]. */
  readonly errors: ArrayLike<number>;
  /** By population: what is added to dloss/dz, [step * size + neuron]; null for nothing. */
  readonly costs?: readonly (ArrayLike<number> | null)[];
}

/** Spikes that arrive through one projection during a chunk; those of step t up to `ends[t]`. */
interface ArrivalList {
  readonly ends: Uint32Array;
  readonly sources: number[];
  readonly values: number[];
}

/** What is carried at a synapse belongs to one target; and an endless sequence has no samples to draw dropout for. */
function refuseUnsuitable({ projections, populations }: GradientNetwork): void {
  const shared = projections.find(({ connectivity }) => isShared(connectivity));
  if (shared !== undefined) {
    throw new UserError(
      `the weights of "${shared.name}" are shared by several connections, as in a convolution, and streaming e-prop keeps ` +
        "numbers for every synapse and its one target; train in samples (GradientTrainer), where e-prop has shared weights",
    );
  }
  const dropping = populations.find(({ dropout = 0 }) => dropout > 0);
  if (dropping !== undefined) {
    throw new UserError(
      `"${dropping.name}" has dropout, which is drawn for every sample; streaming e-prop has no samples: set dropout to 0`,
    );
  }
}

export class StreamingEprop {
  readonly #network: GradientNetwork;
  readonly #values: Values;
  readonly #options: StreamingOptions;
  readonly #stepped: SteppedNetwork;
  readonly #paths: readonly (readonly ErrorPath[])[];
  readonly #populations: readonly ChunkedPopulation[];
  /** By projection; null where nothing is learned. */
  readonly #synapses: readonly (CarriedLines | null)[];
  readonly #biases: readonly (CarriedLines | null)[];
  readonly #constants: readonly (readonly CarriedLines[])[];
  readonly #arrivals: readonly ArrivalList[];
  readonly #gradients: NetworkValues<Float64Array>;

  /**
   * @param values weights, biases and constants; read at every `push`, so that they may be changed between two
   * @throws UserError for networks in which derivatives flow between hidden populations, which share weights or have
   *   dropout, for a useless `chunkSteps`, and for what needs more than `memoryBytes`
   */
  constructor(network: GradientNetwork, values: Values, options: StreamingOptions) {
    const { chunkSteps } = options;
    refuseUnsuitable(network);
    if (!Number.isSafeInteger(chunkSteps) || chunkSteps < 1) {
      throw new UserError(`chunkSteps is ${chunkSteps}; it must be a whole number of at least 1`);
    }
    this.#network = network;
    this.#values = values;
    this.#options = options;
    this.#stepped = new SteppedNetwork(network, values);
    const { populations, shapes } = this.#stepped;
    const tangents = populations.map((population, p) => new Tangent(population, network.dtMs, p === network.readout));
    const readout = tangents[network.readout];
    const paths = errorPaths(network, readout);
    const { memoryBytes = 2 ** 31 } = options;
    guardStreaming(streamingBytes(network, tangents, paths, chunkSteps), chunkSteps, memoryBytes);
    this.#paths = populations.map((_, p) => paths.filter(({ source }) => source === p));
    this.#populations = populations.map(
      (population, p) => new ChunkedPopulation(population, tangents[p], this.#paths[p], readout, chunkSteps),
    );
    const linesInto = (p: number, shape: RowShape, lines: number, into = 0) =>
      new CarriedLines(shape, lines, this.#populations[p].components, into);
    this.#synapses = network.projections.map((projection, k) =>
      projection.trained
        ? linesInto(projection.target, shapes[k], synapseCount(network, projection), inputOf(network, projection))
        : null,
    );
    const oneEach = (p: number) => {
      const { size } = network.populations[p];
      return linesInto(p, { sources: 1, targets: size, connectivity: "dense" }, size);
    };
    this.#biases = network.populations.map(({ bias }, p) => (bias ? oneEach(p) : null));
    this.#constants = this.#populations.map(({ constants }, p) => constants.map(() => oneEach(p)));
    this.#arrivals = network.projections.map(() => ({ ends: new Uint32Array(chunkSteps), sources: [], values: [] }));
    this.#gradients = {
      weights: network.projections.map(
        (projection, k) => this.#synapses[k]?.gradient ?? new Float64Array(synapseCount(network, projection)),
      ),
      bias: this.#biases.map((lines) => lines?.gradient ?? null),
      constants: network.populations.map(({ trainable, size }) =>
        Object.fromEntries(trainable.map((name) => [name, new Float64Array(size)])),
      ),
    };
  }

  /** From here on gradients start at 0 again; what the synapses carry stays. After an update of the weights, say. */
  clearGradients(): void {
    const { weights, bias, constants } = this.#gradients;
    for (const gradient of [...weights, ...bias, ...constants.flatMap(Object.values)]) gradient?.fill(0);
  }

  /** The next step is the first of another sequence: states and everything carried are 0. Gradients stay. */
  startSequence(): void {
    this.#stepped.rest();
    for (const lines of [...this.#synapses, ...this.#biases, ...this.#constants.flat()]) lines?.forget();
  }

  /**
   * Advances the sequence by the steps of `events`, at most `chunkSteps`.
   * @param judge is called once with what these steps led to, and says what was wrong with it
   * @returns gradients since the last `clearGradients`, summed over steps; the same arrays at every call
   */
  push(events: StepEvents, judge: (chunk: Chunk) => LearningSignals): NetworkValues<Float64Array> {
    const { steps } = events;
    const { chunkSteps } = this.#options;
    if (steps > chunkSteps) {
      throw new UserError(`${steps} steps were pushed; chunkSteps is ${chunkSteps}: push at most so many at once`);
    }
    this.#stepped.setConstants();
    const chunk = this.#forward(events);
    const { errors, costs } = judge(chunk);
    if (errors.length !== chunk.outputs.length) {
      throw new UserError(
        `there are ${errors.length} errors for ${chunk.outputs.length} outputs; give one per step and output`,
      );
    }
    const { readout, populations, projections, dtMs } = this.#network;
    for (const [p, population] of this.#populations.entries()) {
      const cost = costs?.[p];
      const { name, size } = populations[p];
      if (cost && cost.length !== steps * size) {
        throw new UserError(
          `there are ${cost.length} costs for the spikes of "${name}"; give one per step and neuron, ${steps} x ${size}`,
        );
      }
      population.sweep(
        steps,
        {
          signals: this.#paths[p].map((path) => this.#signals(path, errors, steps)),
          cost: cost && p !== readout ? Float64Array.from(cost) : null,
          errors: p === readout ? Float64Array.from(errors) : null,
        },
        this.#populations[readout],
      );
    }
    for (const [k, { target }] of projections.entries())
      this.#advanceSynapses(k, steps, this.#populations[target].sweeps);
    for (const [p, { sweeps }] of this.#populations.entries()) {
      for (const [index, lines] of [this.#biases[p], ...this.#constants[p]].entries()) {
        lines?.carryOver(sweeps);
        lines?.arriveAlways(index, sweeps);
      }
      this.#addConstants(p, populations[p], dtMs);
    }
    return this.#gradients;
  }

  #forward(events: StepEvents): Chunk {
    const { readout, populations } = this.#network;
    const stepped = this.#stepped;
    const outputCount = populations[readout].size;
    const outputs = new Float64Array(events.steps * outputCount);
    const spikes = populations.map(({ size }) => new Float64Array(events.steps * size));
    for (const list of this.#arrivals) list.sources.length = list.values.length = 0;
    for (let t = 0; t < events.steps; t++) {
      stepped.advance(events, t);
      outputs.set(stepped.populations[readout].states[0], t * outputCount);
      for (const [p, population] of this.#populations.entries()) {
        population.record(t);
        spikes[p].set(stepped.populations[p].z, t * populations[p].size);
      }
      for (const [k, list] of this.#arrivals.entries()) {
        const { sources, values, count } = stepped.arrivals(k);
        for (let s = 0; s < count; s++) {
          list.sources.push(sources[s]);
          list.values.push(values[s]);
        }
        list.ends[t] = list.sources.length;
      }
    }
    return { steps: events.steps, outputs, spikes };
  }

  /** L_j(t) = sum over the path's outputs k of B_jk dloss/dy_k(t), [step * size + neuron]. */
  #signals({ projection, source, outputs }: ErrorPath, errors: ArrayLike<number>, steps: number): Float64Array {
    const { size } = this.#network.populations[source];
    const count = this.#network.populations[this.#network.readout].size;
    const spec = this.#network.projections[projection];
    const { backward, gain = 1 } = spec;
    const { from, to } = sourceRange(this.#network, spec);
    const matrix = backward === "feedback" ? this.#options.feedback?.[projection] : this.#values.weights[projection];
    if (!matrix) throw new UserError(`projection "${spec.name}" lacks its feedback`);
    const isMeant = Array.from({ length: count }, (_, k) => outputs.includes(k));
    const result = new Float64Array(steps * size);
    for (let j = from; j < to; j++) {
      alongRow(this.#stepped.shapes[projection], j - from, (synapse, k) => {
        if (!isMeant[k]) return;
        for (let t = 0; t < steps; t++) result[t * size + j] += gain * matrix[synapse] * errors[t * count + k];
      });
    }
    return result;
  }

  #advanceSynapses(k: number, steps: number, sweeps: readonly Sweep[]): void {
    const lines = this.#synapses[k];
    if (lines === null) return;
    const { target, gain = 1 } = this.#network.projections[k];
    const { size } = this.#network.populations[target];
    const { ends, sources, values } = this.#arrivals[k];
    lines.carryOver(sweeps);
    let s = 0;
    for (let t = 0; t < steps; t++) {
      for (; s < ends[t]; s++) lines.arrive(sources[s], gain * values[s], t * size, sweeps);
    }
  }

  /** Gradients by constants of the step become gradients by parameters, with the parameters of this chunk. */
  #addConstants(p: number, spec: GradientNetwork["populations"][number], dtMs: number): void {
    const { constants } = this.#populations[p];
    const byConstant = Object.fromEntries(constants.map((name, c) => [name, this.#constants[p][c].gradient]));
    const parameters = parametersOf(spec, this.#values.constants[p]);
    const { split } = this.#stepped.populations[p];
    const gradients = constantGradients(split, spec.trainable, parameters, dtMs, spec.size, byConstant);
    for (const [name, values] of Object.entries(gradients)) {
      const total = this.#gradients.constants[p][name];
      for (let j = 0; j < spec.size; j++) total[j] += values[j];
    }
    for (const { gradient } of this.#constants[p]) gradient.fill(0);
  }
}
