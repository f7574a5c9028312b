/** Between plain arrays of weights, biases and parameters and the engine's padded blocks. */
import type { AdjointProgram } from "../../model/adjoint.ts";
import { constantGradients } from "../../model/constant-gradients.ts";
import type { PerNeuron } from "../../model/define.ts";
import { readSegment, type ValueLayout, writeNeurons, writeSegment } from "./layout.ts";
import { constantValues } from "./programs.ts";
import type { GradientNetwork, NetworkValues } from "./spec.ts";

/** Writes weights, biases, and the constants that the trainable parameters give, into a block of values. */
export function writeValues(
  network: GradientNetwork,
  programs: readonly AdjointProgram[],
  layout: ValueLayout,
  values: NetworkValues<ArrayLike<number>>,
  block: Float32Array,
): void {
  for (const [k, segment] of layout.weights.entries()) writeSegment(block, segment, values.weights[k]);
  for (const [p, segment] of layout.bias.entries()) {
    const bias = values.bias[p];
    if (segment !== null && bias !== null) writeSegment(block, segment, bias);
  }
  writeConstants(network, programs, layout, values.constants, block);
}

/** Only the constants: after trainable parameters have moved. */
export function writeConstants(
  network: GradientNetwork,
  programs: readonly AdjointProgram[],
  layout: ValueLayout,
  constants: readonly Readonly<Record<string, ArrayLike<number>>>[],
  block: Float32Array,
): void {
  for (const [p, spec] of network.populations.entries()) {
    const segments = layout.constants[p];
    if (Object.keys(segments).length === 0) continue;
    const values = constantValues(spec, programs[p], constants[p], network.dtMs);
    for (const [name, segment] of Object.entries(segments)) {
      const value = values[name];
      writeNeurons(block, segment.offset, typeof value === "number" ? new Array(spec.size).fill(value) : value);
    }
  }
}

/** Gradients by weights, biases and trainable parameters from a block of gradients. */
export function readGradients(
  network: GradientNetwork,
  programs: readonly AdjointProgram[],
  layout: ValueLayout,
  constants: readonly Readonly<Record<string, ArrayLike<number>>>[],
  block: Float32Array,
): NetworkValues {
  return {
    weights: layout.weights.map((segment) => readSegment(block, segment)),
    bias: layout.bias.map((segment) => (segment === null ? null : readSegment(block, segment))),
    constants: network.populations.map((_, p) => parameterGradients(network, programs, layout, constants, block, p)),
  };
}

/** Gradients by the trainable parameters of one population, one per neuron each. */
export function parameterGradients(
  network: GradientNetwork,
  programs: readonly AdjointProgram[],
  layout: ValueLayout,
  constants: readonly Readonly<Record<string, ArrayLike<number>>>[],
  block: Float32Array,
  population: number,
): Record<string, Float32Array<ArrayBuffer>> {
  const spec = network.populations[population];
  const segments = Object.entries(layout.constants[population]);
  const byConstant = Object.fromEntries(segments.map(([name, segment]) => [name, readSegment(block, segment)]));
  const trained = constants[population] as Readonly<Record<string, PerNeuron>>;
  const parameters = { ...spec.model.parameters, ...trained };
  const { split } = programs[population];
  const exact = constantGradients(split, spec.trainable, parameters, network.dtMs, spec.size, byConstant);
  return Object.fromEntries(Object.entries(exact).map(([name, values]) => [name, new Float32Array(values)]));
}
