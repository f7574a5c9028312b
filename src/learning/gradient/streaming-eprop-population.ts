/**
 * What one population contributes to a chunk of steps, for `streaming-eprop.ts`: sweeps back through the chunk that say, for
 * every neuron, how much a spike that arrives at step t, and how much each carried number, is worth at the chunk's end.
 *
 * Everything that a line into neuron j carries over a step is linear in what it carried before and in its amplitude a,
 * with coefficients that depend on the neuron alone:
 *
 *   e = spike . [eps, a];  eps <- next . [eps, a]           eligibility trace and vector
 *   u = e of `delaySteps` ago, through registers;  f <- filter . [f, u]      per error path: the readout's filter
 *   g += sum over paths L(t) f_0 + cost(t) e                in a readout: error(t) eps_0
 *
 * A sweep takes adjoints of (g or one carried number at the end) backwards through these lines.
 */
import type { ErrorPath } from "./forward-eprop.ts";
import type { SteppedPopulation } from "./forward-eprop-network.ts";
import type { Tangent } from "./forward-eprop-tangent.ts";

/** One entry of the tangent over the chunk, [step * size + neuron]. */
interface TapedEntry {
  /** Component whose new value the row gives; -1: e. */
  readonly row: number;
  readonly column: number;
  readonly now: Float64Array;
  readonly tape: Float64Array;
}

/** What acts on the gradient within the chunk, [step * size + neuron] each. */
export interface ChunkSignals {
  /** By error path: L. */
  readonly signals: readonly Float64Array[];
  readonly cost: Float64Array | null;
  /** Of a readout: dloss/dy. */
  readonly errors: Float64Array | null;
}

/** The value of what comes in during the chunk and of what was carried into it. */
export interface Sweep {
  /** By input: of a unit amplitude at step t, [step * size + neuron]. */
  readonly arrivals: readonly Float64Array[];
  /** Of a line with amplitude 1 at all steps: the bias, then the constants. By neuron. */
  readonly always: readonly Float64Array[];
  /** By carried number and neuron. */
  readonly carried: readonly Float64Array[];
}

interface PathComponents {
  readonly path: ErrorPath;
  /** Carried e of 1, 2, ... steps ago; then the filter's states. */
  readonly registers: readonly number[];
  readonly states: readonly number[];
}

export class ChunkedPopulation {
  /** Numbers that a line carries from step to step: eligibility vector, then registers and filter of every path. */
  readonly components: number;
  /** Names of the constants that trainable parameters move. */
  readonly constants: readonly string[];
  /** Sweep 0 is of the gradient, 1 + c of carried number c. */
  readonly sweeps: readonly Sweep[];
  readonly #size: number;
  readonly #tangent: Tangent;
  readonly #entries: readonly TapedEntry[];
  /** Tapes of the rows of `next` by row and column. */
  readonly #table: readonly (readonly (Float64Array | undefined)[])[];
  readonly #paths: readonly PathComponents[];
  readonly #adjoints: readonly Float64Array[];
  readonly #next: readonly Float64Array[];
  readonly #ofFilter: readonly Float64Array[];
  readonly #ofTrace: Float64Array;

  constructor(
    population: SteppedPopulation,
    tangent: Tangent,
    paths: readonly ErrorPath[],
    readout: Tangent,
    chunkSteps: number,
  ) {
    const { size } = population.spec;
    this.#size = size;
    this.#tangent = tangent;
    const { states, constants } = tangent.program;
    this.constants = constants;
    let components = states.length;
    const take = (count: number): number[] => Array.from({ length: count }, () => components++);
    this.#paths = paths.map((path) => ({
      path,
      registers: take(path.delaySteps),
      states: take(readout.program.states.length),
    }));
    this.components = components;
    this.#entries = [tangent.spike, ...tangent.next].flatMap((row, r) =>
      row.flatMap((now, column): TapedEntry[] =>
        now === null ? [] : [{ row: r - 1, column, now, tape: new Float64Array(chunkSteps * size) }],
      ),
    );
    this.#table = tangent.next.map((row, r) =>
      row.map((_, column) => this.#entries.find((entry) => entry.row === r && entry.column === column)?.tape),
    );
    const perNeuron = (count: number) => Array.from({ length: count }, () => new Float64Array(size));
    this.sweeps = Array.from({ length: 1 + components }, () => ({
      arrivals: population.inputs.map(() => new Float64Array(chunkSteps * size)),
      always: perNeuron(1 + constants.length),
      carried: perNeuron(components),
    }));
    this.#adjoints = perNeuron(components);
    this.#next = perNeuron(states.length);
    this.#ofFilter = perNeuron(readout.program.states.length + 1);
    this.#ofTrace = new Float64Array(size);
  }

  /** Keeps the tangent of the step just made, step t of the chunk. */
  record(t: number): void {
    this.#tangent.update();
    for (const { now, tape } of this.#entries) tape.set(now, t * this.#size);
  }

  /** Coefficient of the filter of an output at step t: new state `row` by column. */
  filterEntry(row: number, column: number, output: number, t: number): number {
    const tape = this.#table[row]?.[column];
    return tape ? tape[t * this.#size + output] : 0;
  }

  /** All sweeps over the first `steps` steps of the chunk. */
  sweep(steps: number, signals: ChunkSignals, readout: ChunkedPopulation): void {
    for (const [s, sweep] of this.sweeps.entries()) {
      for (const values of this.#adjoints) values.fill(0);
      if (s > 0) this.#adjoints[s - 1].fill(1);
      this.#back(steps, s === 0 ? signals : null, readout, sweep);
    }
  }

  #back(steps: number, given: ChunkSignals | null, readout: ChunkedPopulation, sweep: Sweep): void {
    const size = this.#size;
    const adjoints = this.#adjoints;
    const { firstInput, firstConstant } = this.#tangent;
    const { arrivals, always, carried } = sweep;
    for (const values of arrivals) values.fill(0, 0, steps * size);
    for (const values of always) values.fill(0);
    for (let t = steps - 1; t >= 0; t--) {
      const from = t * size;
      if (given?.errors) add(adjoints[0], given.errors, from);
      this.#ofTrace.fill(0);
      if (given?.cost) add(this.#ofTrace, given.cost, from);
      for (const [p, path] of this.#paths.entries()) {
        if (given) add(adjoints[path.states[0]], given.signals[p], from);
        this.#backThroughPath(path, t, readout);
      }
      for (const values of this.#next) values.fill(0);
      const arrivalsNow = arrivals.map((values) => values.subarray(from, from + size));
      for (const { row, column, tape } of this.#entries) {
        const ofRow = row < 0 ? this.#ofTrace : adjoints[row];
        const to =
          column < firstInput
            ? this.#next[column]
            : column < firstConstant
              ? arrivalsNow[column - firstInput]
              : always[1 + column - firstConstant];
        for (let j = 0; j < size; j++) to[j] += tape[from + j] * ofRow[j];
      }
      for (let j = 0; j < size; j++) always[0][j] += arrivalsNow[0][j];
      for (const [k, values] of this.#next.entries()) adjoints[k].set(values);
    }
    for (const [c, values] of carried.entries()) values.set(adjoints[c]);
  }

  /** Adjoints of the filter and the registers of a path over step t; adds to that of e. */
  #backThroughPath({ path, registers, states }: PathComponents, t: number, readout: ChunkedPopulation): void {
    const adjoints = this.#adjoints;
    const output = path.outputs[0];
    // Through the filter: columns are its states, then the input that the path leads into.
    for (const [column, values] of this.#ofFilter.entries()) {
      values.fill(0);
      const filtered = column < states.length ? column : column + path.into;
      for (const [row, state] of states.entries()) {
        addScaled(values, adjoints[state], readout.filterEntry(row, filtered, output, t));
      }
    }
    for (const [column, state] of states.entries()) adjoints[state].set(this.#ofFilter[column]);
    const ofInput = this.#ofFilter[states.length];
    if (registers.length === 0) addScaled(this.#ofTrace, ofInput, 1);
    else {
      addScaled(this.#ofTrace, adjoints[registers[0]], 1);
      for (let d = 1; d < registers.length; d++) adjoints[registers[d - 1]].set(adjoints[registers[d]]);
      adjoints[registers[registers.length - 1]].set(ofInput);
    }
  }
}

function add(to: Float64Array, from: Float64Array, offset: number): void {
  for (let j = 0; j < to.length; j++) to[j] += from[offset + j];
}

function addScaled(to: Float64Array, from: Float64Array, factor: number): void {
  if (factor !== 0) for (let j = 0; j < to.length; j++) to[j] += factor * from[j];
}
