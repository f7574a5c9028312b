/** Deep rewiring (deep-r.ts) of the projections of a training that have it. */
import { UserError } from "../../base/errors.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { addSparsityPressure, type RewirableProjection, rewire } from "../optimisers/deep-r.ts";
import type { Optimiser } from "../optimisers/optimiser.ts";
import type { ProjectionPlan } from "./learning-plan.ts";
import type { MemberGroup } from "./member-group.ts";
import type { ParameterGroupView } from "./parameters.ts";
import { type GradientNetwork, isShared, isSparse, type SparseRows } from "./spec.ts";

/** Where the synapses of a sparse projection are, and which sign each keeps. */
export interface SynapseState extends SparseRows {
  readonly signs: Int8Array;
}

interface RewiredProjection {
  readonly projection: number;
  readonly name: string;
  readonly strength: number;
  readonly at: RewirableProjection;
}

export class Rewiring {
  readonly #projections: readonly RewiredProjection[];
  readonly #random: Philox;
  readonly #members: MemberGroup;

  /** @throws UserError for a projection that cannot be rewired */
  constructor(
    network: GradientNetwork,
    groups: readonly ParameterGroupView[],
    plans: readonly ProjectionPlan[],
    seed: number,
    members: MemberGroup,
  ) {
    this.#projections = plans.flatMap(({ deepR, signs }, k) => {
      if (deepR === null) return [];
      const weights = groups.find(({ projection }) => projection === k)?.values ?? null;
      const { name } = network.projections[k];
      return [{ projection: k, name, strength: deepR, at: rewirable(network, k, weights, signs) }];
    });
    this.#random = new Philox(seed);
    this.#members = members;
  }

  /** Adds what pulls weights to 0 to the gradients of their groups. */
  addPressure(gradients: Readonly<Record<string, Float32Array>>): void {
    for (const { name, strength, at } of this.#projections) addSparsityPressure(at, gradients[name], strength);
  }

  /** After the optimiser's step: synapses that crossed 0 go elsewhere, and the optimiser's memory follows. */
  async rewire(optimiser: Optimiser): Promise<void> {
    const { steps } = optimiser.state();
    for (const { projection, name, at } of this.#projections) {
      // One stream per projection and step: 2^24 steps of 2^16 projections.
      const stream = streamOf(streamKind.rewiring, projection * 2 ** 24 + steps);
      const { count, origin } = rewire(at, this.#random, stream);
      if (count === 0) continue;
      optimiser.reorder(name, origin);
      await this.#send(projection, at);
    }
  }

  /** By name of the projection; copies. */
  state(): Record<string, SynapseState> {
    return Object.fromEntries(
      this.#projections.map(({ name, at }) => [
        name,
        { offsets: at.rowStarts.slice(), targets: at.targets.slice(), signs: at.signs.slice() },
      ]),
    );
  }

  /** @throws UserError when the synapses are those of another network */
  check(synapses: Readonly<Record<string, SynapseState>>): void {
    for (const { name, at } of this.#projections) {
      if (synapses[name]?.targets.length === at.targets.length) continue;
      throw new UserError(
        `the saved state has no synapses for the rewired projection "${name}"; it belongs to another network`,
      );
    }
  }

  /** Of synapses that passed `check`. */
  async restore(synapses: Readonly<Record<string, SynapseState>>): Promise<void> {
    for (const { projection, name, at } of this.#projections) {
      const { offsets, targets, signs } = synapses[name];
      at.rowStarts.set(offsets);
      at.targets.set(targets);
      at.signs.set(signs);
      await this.#send(projection, at);
    }
  }

  #send(projection: number, { rowStarts: offsets, targets }: RewirableProjection): Promise<void> {
    return this.#members.setSparse(projection, { offsets, targets });
  }
}

/** The arrays of a sparse projection as rewiring changes them; signs are those of the weights at the start. */
function rewirable(
  network: GradientNetwork,
  projection: number,
  weights: Float32Array | null,
  signOfPre: Int8Array | null,
): RewirableProjection {
  const { connectivity, name, source, target, sources } = network.projections[projection];
  if (isShared(connectivity)) {
    throw new UserError(
      `projection "${name}" is to be rewired, but its connections share their weights, as a convolution's do; ` +
        "rewiring moves single synapses: set deepR to null there",
    );
  }
  if (!isSparse(connectivity) || weights === null) {
    throw new UserError(`projection "${name}" is to be rewired, but it is not sparse or not trained`);
  }
  const { offsets: rowStarts, targets } = connectivity;
  return {
    pre: rowStarts.length - 1,
    post: network.populations[target].size,
    rowStarts,
    targets,
    weights,
    signs: Int8Array.from(weights, (w) => (w < 0 ? -1 : 1)),
    ...(signOfPre === null ? {} : { signOfPre }),
    noAutapses: source === target,
    ...(sources === undefined ? {} : { firstPre: sources.from }),
  };
}
