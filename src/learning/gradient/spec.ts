/**
 * What the gradient engine is told: populations of neurons, projections between them, and which way derivatives flow.
 * Plain data, already checked by who made it (`network.ts`); step t of a sample is computed population by population, in
 * the order of the list.
 */
import type { Surrogate } from "../../expression/node.ts";
import type { RowShape } from "../../kernels/rows/reference.ts";
import type { ResolvedModel } from "../../model/resolve.ts";
import type { SharedRows } from "../../network/shared-rows.ts";

export interface PopulationSpec {
  readonly name: string;
  readonly size: number;
  readonly model: ResolvedModel;
  /** Of the spike; `surrogates.none()` for a readout. */
  readonly surrogate: Surrogate;
  readonly detachReset: boolean;
  /** Parameters of the model that are learned, one value per neuron. */
  readonly trainable: readonly string[];
  /** A learned constant current into every neuron, into the first of its inputs. */
  readonly bias: boolean;
  /**
   * Probability that what a neuron sends does not arrive, drawn for every neuron and training sample; what arrives is
   * scaled by 1/(1 - dropout). Its own spikes, resets, costs and counts are those of a neuron without dropout, and outside
   * training there is none. Default 0.
   */
  readonly dropout?: number;
  /**
   * Of a layer with places: neuron i belongs to filter i mod filters. A learned constant and the bias are one value per
   * filter, and regularisers of the population look at the means of filters. Absent: one value per neuron.
   */
  readonly filters?: number;
}

/** Sparse rows: synapses of presynaptic neuron i are `offsets[i]` .. `offsets[i + 1]`, `targets` ascending in a row. */
export interface SparseRows {
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
}

/**
 * How the adjoint of the target's input becomes the adjoint of the source's spikes:
 * - `weights`: through the weights (exact gradient);
 * - `feedback`: through a matrix of its own, [source][target] (random and adaptive e-prop);
 * - `none`: not at all (the recurrent path in e-prop).
 */
export type BackwardPath = "weights" | "feedback" | "none";

export interface SourceRange {
  readonly from: number;
  readonly to: number;
}

export interface ProjectionSpec {
  readonly name: string;
  /** Index of a population, or the samples' channels. */
  readonly source: number | "input";
  readonly target: number;
  /** Which input of the target's model it leads into. Default: the first. */
  readonly into?: string;
  /** The neurons of the source that it starts from, `from` to `to` - 1: source 0 is neuron `from`. Default: all. */
  readonly sources?: SourceRange;
  /** Steps from a spike to its arrival. At least 1 where the target does not come after the source in the list. */
  readonly delaySteps: number;
  /** Every source to every target, or only these, or these with weights that several of them share. */
  readonly connectivity: "dense" | SparseRows | SharedRows;
  readonly backward: BackwardPath;
  readonly trained: boolean;
  /** Factor on everything that the projection carries, both ways. Default 1. */
  readonly gain?: number;
}

export interface GradientNetwork {
  readonly dtMs: number;
  /** Channels of the samples. */
  readonly inputs: number;
  readonly populations: readonly PopulationSpec[];
  readonly projections: readonly ProjectionSpec[];
  /** Index of the population whose first state is the output; it does not spike. */
  readonly readout: number;
}

/** Numbers that training changes, and their gradients, which have the same shape. */
export interface NetworkValues<A = Float32Array> {
  /** By projection: `[source * targets + target]` when dense, one per synapse when sparse, `[row * width + i]` when shared. */
  readonly weights: readonly A[];
  /** By population, null without bias. */
  readonly bias: readonly (A | null)[];
  /** By population: one value per neuron of each trainable parameter. */
  readonly constants: readonly Readonly<Record<string, A>>[];
}

/** The neurons or channels that a projection starts from. */
export function sourceRange(network: GradientNetwork, { source, sources }: ProjectionSpec): SourceRange {
  return sources ?? { from: 0, to: source === "input" ? network.inputs : network.populations[source].size };
}

/** Neurons on the sending side of a projection. */
export function sourceSize(network: GradientNetwork, projection: ProjectionSpec): number {
  const { from, to } = sourceRange(network, projection);
  return to - from;
}

/** Number of the input of the target's model that a projection leads into. */
export function inputOf({ populations }: GradientNetwork, { target, into }: ProjectionSpec): number {
  return into === undefined ? 0 : populations[target].model.model.inputs.indexOf(into);
}

export const isShared = (connectivity: ProjectionSpec["connectivity"]): connectivity is SharedRows =>
  connectivity !== "dense" && "width" in connectivity;

export const isSparse = (connectivity: ProjectionSpec["connectivity"]): connectivity is SparseRows =>
  connectivity !== "dense" && !isShared(connectivity);

/**
 * Whether a projection can also deliver the input as a product of matrices (`dense-input.ts`): it reaches every target from
 * every channel, and comes first of those that lead into its row, so that the sums of the row begin with it.
 */
export function hasDenseForm(network: GradientNetwork, projection: ProjectionSpec): boolean {
  const { source, sources, target, connectivity } = projection;
  if (source !== "input" || sources !== undefined || connectivity !== "dense") return false;
  const row = inputOf(network, projection);
  return projection === network.projections.find((one) => one.target === target && inputOf(network, one) === row);
}

/** Who projects to whom, as the kernels of rows have it. */
export const shapeOf = (network: GradientNetwork, projection: ProjectionSpec): RowShape => ({
  sources: sourceSize(network, projection),
  targets: network.populations[projection.target].size,
  connectivity: projection.connectivity,
});

/** Number of weights of a projection. Where weights are shared there are more connections than weights. */
export function synapseCount(network: GradientNetwork, projection: ProjectionSpec): number {
  const { connectivity } = projection;
  if (connectivity === "dense") return sourceSize(network, projection) * network.populations[projection.target].size;
  return isShared(connectivity) ? connectivity.rows * connectivity.width : connectivity.targets.length;
}

/** Number of pairs of neurons that a projection connects. */
export function connectionCount(network: GradientNetwork, projection: ProjectionSpec): number {
  const { connectivity } = projection;
  return isShared(connectivity)
    ? connectivity.firstTargets.length * connectivity.width
    : synapseCount(network, projection);
}

/** A population whose neurons cannot spike has nothing to send. */
export const isReadout = (network: GradientNetwork, population: number): boolean => population === network.readout;
