/**
 * What training moves: the padded block of weights and biases as the engine has it, and constants with their
 * parametrisations; with the optimiser's view of both as named groups.
 */
import type { AdjointProgram } from "../../model/adjoint.ts";
import {
  chainGradient,
  keepInRange,
  type Parametrisation,
  writeValues as writeRange,
} from "../optimisers/parametrisation.ts";
import { parameterGradients, writeConstants } from "./blocks.ts";
import { readSegment, type Segment, type ValueLayout, writeSegment } from "./layout.ts";
import type { GradientNetwork, NetworkValues } from "./spec.ts";

/** A trainable parameter of one population. */
interface TrainedConstant {
  readonly name: string;
  readonly population: number;
  readonly parameter: string;
  readonly range: Parametrisation;
  /** What the optimiser moves: one number for all neurons, one per filter, or one per neuron. Neuron i has i mod length. */
  readonly raw: Float32Array<ArrayBuffer>;
  /** The parameter itself, n numbers. */
  readonly values: Float32Array<ArrayBuffer>;
}

export interface ParameterGroupView {
  readonly name: string;
  readonly values: Float32Array<ArrayBuffer>;
  readonly isConstant: boolean;
  /** Of weights: index of the projection; of a bias: null. */
  readonly projection: number | null;
}

/** A bias of every filter; the block holds that of every neuron. */
interface FilterBias {
  readonly name: string;
  readonly segment: Segment;
  /** What the optimiser moves. */
  readonly raw: Float32Array<ArrayBuffer>;
}

/** Sums of a gradient by neuron over the neurons that share a number. */
function sumShared(perNeuron: ArrayLike<number>, count: number): Float32Array<ArrayBuffer> {
  const sums = new Float64Array(count);
  for (let i = 0; i < perNeuron.length; i++) sums[i % count] += perNeuron[i];
  return new Float32Array(sums);
}

/** Entries from the first to the last one; padding between rows is among them and stays 0. */
const extentOf = ({ rows, columns, stride }: Segment): number => (rows - 1) * stride + columns;

export class TrainedParameters {
  /** Weights, biases and constants of the step, as the engine takes them. */
  readonly block: Float32Array<ArrayBuffer>;
  readonly groups: readonly ParameterGroupView[];
  readonly #network: GradientNetwork;
  readonly #programs: readonly AdjointProgram[];
  readonly #layout: ValueLayout;
  readonly #constants: readonly TrainedConstant[];
  readonly #filterBiases: readonly FilterBias[];

  constructor(
    network: GradientNetwork,
    programs: readonly AdjointProgram[],
    layout: ValueLayout,
    weights: readonly ArrayLike<number>[],
    ranges: readonly { population: number; parameter: string; range: Parametrisation; shared: boolean }[],
  ) {
    this.#network = network;
    this.#programs = programs;
    this.#layout = layout;
    this.block = new Float32Array(layout.length);
    for (const [k, segment] of layout.weights.entries()) writeSegment(this.block, segment, weights[k]);
    this.#constants = ranges.map(({ population, parameter, range, shared }) => {
      const { size, model, name, filters } = network.populations[population];
      const given = model.parameters[parameter];
      const start = Float32Array.from({ length: size }, (_, i) => (typeof given === "number" ? given : given[i]));
      const raw = Float32Array.from({ length: shared ? 1 : (filters ?? size) }, (_, i) => range.raw(start[i]));
      return { name: `${name}.${parameter}`, population, parameter, range, raw, values: start };
    });
    this.#filterBiases = layout.bias.flatMap((segment, p): FilterBias[] => {
      const { name, filters } = network.populations[p];
      if (segment === null || filters === undefined) return [];
      return [{ name: `${name}.bias`, segment, raw: new Float32Array(filters) }];
    });
    this.groups = [
      ...layout.weights.flatMap((segment, k): ParameterGroupView[] => {
        const projection = network.projections[k];
        if (!projection.trained) return [];
        const values = this.block.subarray(segment.offset, segment.offset + extentOf(segment));
        return [{ name: projection.name, values, isConstant: false, projection: k }];
      }),
      ...layout.bias.flatMap((segment, p): ParameterGroupView[] => {
        if (segment === null || network.populations[p].filters !== undefined) return [];
        const values = this.block.subarray(segment.offset, segment.offset + extentOf(segment));
        return [{ name: `${network.populations[p].name}.bias`, values, isConstant: false, projection: null }];
      }),
      ...this.#filterBiases.map(({ name, raw }) => ({ name, values: raw, isConstant: false, projection: null })),
      ...this.#constants.map(({ name, raw }) => ({ name, values: raw, isConstant: true, projection: null })),
    ];
    this.refresh();
  }

  /** After the raw numbers have moved: keeps them in range and computes parameters and constants from them. */
  refresh(): void {
    for (const { range, raw, values } of this.#constants) {
      keepInRange(range, raw);
      writeRange(range, raw, values.subarray(0, raw.length));
      for (let i = raw.length; i < values.length; i++) values[i] = values[i - raw.length];
    }
    for (const { segment, raw } of this.#filterBiases) {
      for (let i = 0; i < segment.columns; i++) this.block[segment.offset + i] = raw[i % raw.length];
    }
    writeConstants(this.#network, this.#programs, this.#layout, this.constants, this.block);
  }

  /** Current values of the trainable parameters, by population and name. */
  get constants(): Record<string, Float32Array<ArrayBuffer>>[] {
    return this.#network.populations.map((_, p) =>
      Object.fromEntries(
        this.#constants.filter(({ population }) => population === p).map((c) => [c.parameter, c.values]),
      ),
    );
  }

  /** The gradient of every group from a block of gradients; of weights these are views of it. */
  gradients(block: Float32Array<ArrayBuffer>): Record<string, Float32Array<ArrayBuffer>> {
    const result: Record<string, Float32Array<ArrayBuffer>> = {};
    for (const { name, values } of this.groups) {
      if (values.buffer === this.block.buffer) {
        const from = (values.byteOffset - this.block.byteOffset) / 4;
        result[name] = block.subarray(from, from + values.length);
      }
    }
    for (const { name, segment, raw } of this.#filterBiases) {
      result[name] = sumShared(block.subarray(segment.offset, segment.offset + segment.columns), raw.length);
    }
    for (const { name, population, parameter, range, raw } of this.#constants) {
      const perNeuron = parameterGradients(
        this.#network,
        this.#programs,
        this.#layout,
        this.constants,
        block,
        population,
      )[parameter];
      const gradient = raw.length < perNeuron.length ? sumShared(perNeuron, raw.length) : perNeuron;
      chainGradient(range, raw, gradient);
      result[name] = gradient;
    }
    return result;
  }

  /** Weights, biases and parameters without padding. */
  values(): NetworkValues<Float32Array<ArrayBuffer>> {
    return {
      weights: this.#layout.weights.map((segment) => readSegment(this.block, segment)),
      bias: this.#layout.bias.map((segment) => (segment === null ? null : readSegment(this.block, segment))),
      constants: this.constants.map((ofPopulation) =>
        Object.fromEntries(Object.entries(ofPopulation).map(([name, values]) => [name, values.slice()])),
      ),
    };
  }
}
