/** What synapses, biases and constants carry from chunk to chunk, for `streaming-eprop.ts`, where the equations are. */
import { alongRow, type RowShape } from "../../kernels/rows/reference.ts";
import type { Sweep } from "./streaming-eprop-population.ts";

/** Below this a carried number is 0: it would fade for ever, and numbers below 1e-308 are a hundred times slower. */
const negligible = 1e-200;

/** Lines of one kind into a population; row i holds the lines of source i. */
export class CarriedLines {
  readonly gradient: Float64Array;
  readonly #into: number;
  readonly #rows: Uint32Array;
  readonly #targets: Uint32Array;
  readonly #carried: readonly Float64Array[];
  readonly #scratch: readonly Float64Array[];

  /** @param into number of the input of the targets that the lines lead into */
  constructor(shape: RowShape, lines: number, components: number, into: number) {
    this.#into = into;
    this.gradient = new Float64Array(lines);
    this.#targets = new Uint32Array(lines);
    this.#rows = new Uint32Array(shape.sources + 1);
    for (let i = 0; i < shape.sources; i++) {
      let end = this.#rows[i];
      alongRow(shape, i, (line, target) => {
        this.#targets[line] = target;
        end = line + 1;
      });
      this.#rows[i + 1] = end;
    }
    this.#carried = Array.from({ length: components }, () => new Float64Array(lines));
    this.#scratch = this.#carried.map(() => new Float64Array(shape.targets));
  }

  forget(): void {
    for (const values of this.#carried) values.fill(0);
  }

  /** What was carried into the chunk: its part of the gradient, and what is left of it at the chunk's end. */
  carryOver([ofGradient, ...ofCarried]: readonly Sweep[]): void {
    const targets = this.#targets;
    // Filters do not act on eligibility vectors, nor one path's on another's.
    const actsOn = this.#carried.map((_, c) =>
      [...ofCarried.keys()].filter((result) => ofCarried[result].carried[c].some((factor) => factor !== 0)),
    );
    for (let i = 0; i + 1 < this.#rows.length; i++) {
      const from = this.#rows[i];
      const to = this.#rows[i + 1];
      for (const values of this.#scratch) values.fill(0);
      for (const [c, values] of this.#carried.entries()) {
        const worth = ofGradient.carried[c];
        for (let line = from; line < to; line++) this.gradient[line] += worth[targets[line]] * values[line];
        for (const result of actsOn[c]) {
          const factor = ofCarried[result].carried[c];
          const sum = this.#scratch[result];
          for (let line = from; line < to; line++) sum[line - from] += factor[targets[line]] * values[line];
        }
      }
      for (const [c, values] of this.#carried.entries()) {
        const sum = this.#scratch[c];
        for (let line = from; line < to; line++) {
          const value = sum[line - from];
          values[line] = Math.abs(value) < negligible ? 0 : value;
        }
      }
    }
  }

  /** A spike of `source` that counts for `value` arrives at a step whose rows start at `offset`. */
  arrive(source: number, value: number, offset: number, [ofGradient, ...ofCarried]: readonly Sweep[]): void {
    const from = this.#rows[source];
    const to = this.#rows[source + 1];
    this.#add(this.gradient, from, to, value, ofGradient.arrivals[this.#into], offset);
    for (const [c, { arrivals }] of ofCarried.entries()) {
      this.#add(this.#carried[c], from, to, value, arrivals[this.#into], offset);
    }
  }

  /** Lines with amplitude 1 at all steps, in one row: the bias (0) or constant `index` - 1. */
  arriveAlways(index: number, [ofGradient, ...ofCarried]: readonly Sweep[]): void {
    this.#add(this.gradient, 0, this.gradient.length, 1, ofGradient.always[index], 0);
    for (const [c, { always }] of ofCarried.entries()) {
      this.#add(this.#carried[c], 0, this.gradient.length, 1, always[index], 0);
    }
  }

  #add(to: Float64Array, from: number, end: number, value: number, row: Float64Array, offset: number): void {
    const targets = this.#targets;
    for (let line = from; line < end; line++) to[line] += value * row[offset + targets[line]];
  }
}
