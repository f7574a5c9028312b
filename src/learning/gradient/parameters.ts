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
  /** One value for the whole population, or one per neuron. */
  readonly shared: boolean;
  /** What the optimiser moves, 1 or n numbers. */
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
      const { size, model, name } = network.populations[population];
      const given = model.parameters[parameter];
      const start = Float32Array.from({ length: size }, (_, i) => (typeof given === "number" ? given : given[i]));
      const raw = Float32Array.from({ length: shared ? 1 : size }, (_, i) => range.raw(start[i]));
      return { name: `${name}.${parameter}`, population, parameter, range, shared, raw, values: start };
    });
    this.groups = [
      ...layout.weights.flatMap((segment, k): ParameterGroupView[] => {
        const projection = network.projections[k];
        if (!projection.trained) return [];
        const values = this.block.subarray(segment.offset, segment.offset + extentOf(segment));
        return [{ name: projection.name, values, isConstant: false, projection: k }];
      }),
      ...layout.bias.flatMap((segment, p): ParameterGroupView[] => {
        if (segment === null) return [];
        const values = this.block.subarray(segment.offset, segment.offset + extentOf(segment));
        return [{ name: `${network.populations[p].name}.bias`, values, isConstant: false, projection: null }];
      }),
      ...this.#constants.map(({ name, raw }) => ({ name, values: raw, isConstant: true, projection: null })),
    ];
    this.refresh();
  }

  /** After the raw numbers have moved: keeps them in range and computes parameters and constants from them. */
  refresh(): void {
    for (const { range, raw, values, shared } of this.#constants) {
      keepInRange(range, raw);
      if (shared) values.fill(range.value(raw[0]));
      else writeRange(range, raw, values);
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
    for (const { name, values, isConstant } of this.groups) {
      if (!isConstant) {
        const from = (values.byteOffset - this.block.byteOffset) / 4;
        result[name] = block.subarray(from, from + values.length);
      }
    }
    for (const { name, population, parameter, range, raw, shared } of this.#constants) {
      const perNeuron = parameterGradients(
        this.#network,
        this.#programs,
        this.#layout,
        this.constants,
        block,
        population,
      )[parameter];
      const gradient = shared ? Float32Array.of(perNeuron.reduce((sum, g) => sum + g, 0)) : perNeuron;
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
