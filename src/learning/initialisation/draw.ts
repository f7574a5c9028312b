/** Weights before training. One random stream per projection: value i belongs to weight i. */
import { UserError } from "../../base/errors.ts";
import { exp } from "../../math/elementary.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { type GradientNetwork, inputOf, type ProjectionSpec, sourceSize, synapseCount } from "../gradient/spec.ts";
import { type Complete, complete } from "../losses/description.ts";
import { driveOf, fanIn, fanOut, isRecurrent, meanOverUnits, rowsOfWeights, type Units, unitsOf } from "./afferents.ts";
import { balanceUnits } from "./balance.ts";
import { type DaleGroups, daleDistributions, daleScales } from "./dale.ts";
import { type FluctuationRule, type InitialWeights, initialWeightKinds } from "./descriptions.ts";
import { fluctuationMoments, type MembraneTarget } from "./fluctuation.ts";
import { orthonormalise } from "./orthogonal.ts";
import { type ResponseIntegrals, responseIntegrals, thresholdsOf } from "./response.ts";

/** How one projection starts. */
export interface Start {
  /** A rule, or the weights themselves as `NetworkValues` keeps them. */
  readonly initial: InitialWeights | Float32Array;
  /** For rules that follow Dale's law: 1 or -1 per source, of shared weights per row; null: sources have no signs. */
  readonly signs: Int8Array | null;
}

/** How often the sources of a projection fire. */
export interface SourceRates {
  /** Over all sources, silent ones included; of currents, what drives the variance: mean squares per second. */
  readonly meanHz: number;
  /** Of each source; null: all are taken to be alike. */
  readonly perSourceHz: Float64Array | null;
}

export interface DrawRequest {
  readonly network: GradientNetwork;
  /** By projection. */
  readonly starts: readonly Start[];
  readonly seed: number;
  /** By projection; null: not known. Numbers in rules come before. */
  readonly rates: readonly (SourceRates | null)[];
}

type Rule = Complete<InitialWeights>;
type CompleteFluctuation = Complete<FluctuationRule>;

/** What a message calls the rule of a projection. */
export const ruleName = ({ name }: ProjectionSpec): string => `the initial rule of "${name}"`;

const isFluctuation = (rule: Rule): rule is CompleteFluctuation =>
  rule.type === "fluctuation" || rule.type === "daleFluctuation";

/** The rule of a projection with all defaults; null where weights are given. */
export function ruleOf({ network, starts }: Pick<DrawRequest, "network" | "starts">, k: number): Rule | null {
  const { initial } = starts[k];
  if (initial instanceof Float32Array) return null;
  return complete(`${ruleName(network.projections[k])}: initial`, initial, initialWeightKinds);
}

/** The rule of a projection where it is one that aims at the membrane. */
export function fluctuationOf(request: Pick<DrawRequest, "network" | "starts">, k: number): CompleteFluctuation | null {
  const rule = ruleOf(request, k);
  return rule !== null && isFluctuation(rule) ? rule : null;
}

/** What a rule aims at, in thresholds. */
export function aimOf(rule: CompleteFluctuation, path: string): MembraneTarget {
  const mean = rule.type === "fluctuation" ? rule.mean : 0;
  if (rule.sigma !== null && rule.xi !== null) {
    throw new UserError(`${path} has sigma and xi, which say the same: xi = (1 - mean) / sigma; give one of them`);
  }
  return { mean, sigma: rule.xi === null ? (rule.sigma ?? 1) : (1 - mean) / rule.xi };
}

/** Projections into the same population that aim at its membrane too, this one among them. */
function companions(request: DrawRequest, k: number): { index: number; rule: CompleteFluctuation }[] {
  const { projections } = request.network;
  return projections.flatMap(({ target }, index) => {
    const rule = target === projections[k].target ? fluctuationOf(request, index) : null;
    return rule === null ? [] : [{ index, rule }];
  });
}

/** Where a layer is reached from below and by itself, nine tenths of the variance come from below (same paper). */
function defaultShare(network: GradientNetwork, projection: ProjectionSpec): number {
  const into = network.projections.filter(({ target }) => target === projection.target);
  const own = into.filter((other) => isRecurrent(other) === isRecurrent(projection)).length;
  const total = own === into.length ? 1 : isRecurrent(projection) ? 0.1 : 0.9;
  return total / own;
}

function ratesOf({ network, rates }: DrawRequest, k: number, { rate }: CompleteFluctuation): SourceRates {
  if (typeof rate === "number") return { meanHz: rate, perSourceHz: null };
  const known = rates[k];
  if (known !== null && known.meanHz > 0) return known;
  const path = ruleName(network.projections[k]);
  throw new UserError(
    known === null
      ? `${path} is "fluctuation", but no rate is known; give rate, the mean rate of a source in Hz, or "sequential"`
      : `${path} is "fluctuation", but its sources never fire; raise sigma of the layer below, or give rate in Hz`,
  );
}

function drawFluctuation(
  request: DrawRequest,
  k: number,
  rule: Extract<CompleteFluctuation, { type: "fluctuation" }>,
  draws: Float64Array,
): void {
  const { network } = request;
  const projection = network.projections[k];
  const path = ruleName(projection);
  const { target, gain = 1 } = projection;
  const population = network.populations[target];
  const aim = aimOf(rule, path);
  const driveInto = (index: number, own: CompleteFluctuation) =>
    fanIn(network, network.projections[index]) * ratesOf(request, index, own).meanHz;
  const afferent = {
    drive: driveInto(k, rule),
    share: rule.share ?? defaultShare(network, projection),
    // The mean needs all rates; without one, only its own are asked for.
    totalDrive:
      aim.mean === 0
        ? driveInto(k, rule)
        : companions(request, k).reduce((sum, { index, rule: other }) => sum + driveInto(index, other), 0),
  };
  const units = unitsOf(network, projection);
  const response = responseIntegrals(population, network.dtMs, inputOf(network, projection));
  const [ebar, ehat] = [meanOverUnits(units, response.ebar), meanOverUnits(units, response.ehat)];
  const threshold = meanOverUnits(units, thresholdsOf(population));
  const moments = Array.from(threshold, (theta, u) =>
    fluctuationMoments(
      { mean: theta * aim.mean, sigma: theta * aim.sigma },
      afferent,
      { ebar: ebar[u], ehat: ehat[u] },
      path,
    ),
  );
  normalDraws(request.seed, k, draws);
  for (let w = 0; w < draws.length; w++) {
    const { mean, sd } = moments[units.ofWeight[w]];
    draws[w] = (mean + sd * draws[w]) / gain;
  }
  if (rule.balance === "none") return;
  const { perSourceHz, meanHz } = ratesOf(request, k, rule);
  const drive = driveOf(network, projection, units, perSourceHz ?? meanHz);
  balanceUnits(draws, units, drive, (u) => moments[u].mean / gain);
}

/** Spikes per second that arrive from each group of the sources that follow Dale's law. */
function daleDrives(request: DrawRequest, k: number): DaleGroups {
  const { network, starts } = request;
  const drive = { feedForward: 0, recurrent: 0, inhibitory: 0 };
  for (const { index, rule } of companions(request, k)) {
    if (rule.type !== "daleFluctuation") continue;
    const projection = network.projections[index];
    const { signs } = starts[index];
    if (signs === null) {
      throw new UserError(
        `${ruleName(projection)} is "daleFluctuation", but its sources have no signs; give the constraint "dale"`,
      );
    }
    const inhibitory = signs.reduce((count, sign) => count + (sign < 0 ? 1 : 0), 0) / signs.length;
    const total = fanIn(network, projection) * ratesOf(request, index, rule).meanHz;
    drive.inhibitory += inhibitory * total;
    drive[isRecurrent(projection) ? "recurrent" : "feedForward"] += (1 - inhibitory) * total;
  }
  return drive;
}

/** The integrals of the synapses of sources that excite, or that inhibit, among those that follow Dale's law. */
function daleResponse(request: DrawRequest, k: number, sign: 1 | -1): ResponseIntegrals {
  const { network, starts } = request;
  const { target } = network.projections[k];
  const reached = companions(request, k).flatMap(({ index, rule }) =>
    rule.type === "daleFluctuation" && starts[index].signs?.includes(sign)
      ? [inputOf(network, network.projections[index])]
      : [],
  );
  const population = network.populations[target];
  const inputs = [...new Set(reached)];
  if (inputs.length > 1) {
    const names = inputs.map((input) => population.model.model.inputs[input]).join(" and ");
    throw new UserError(
      `${ruleName(network.projections[k])} is "daleFluctuation", but sources that ${sign > 0 ? "excite" : "inhibit"} ` +
        `"${population.name}" lead into ${names}; let them lead into one input`,
    );
  }
  return responseIntegrals(population, network.dtMs, inputs[0]);
}

function drawDale(
  request: DrawRequest,
  k: number,
  rule: Extract<CompleteFluctuation, { type: "daleFluctuation" }>,
  draws: Float64Array,
): void {
  const { network, starts, seed } = request;
  const projection = network.projections[k];
  const path = ruleName(projection);
  const drive = daleDrives(request, k);
  const population = network.populations[projection.target];
  const [excitation, inhibition] = [daleResponse(request, k, 1), daleResponse(request, k, -1)];
  const threshold = thresholdsOf(population);
  const { sigma } = aimOf(rule, path);
  const distribution = daleDistributions[rule.distribution];
  // The share is that of connections from below, whichever of the two it is given for.
  const own = rule.share ?? (isRecurrent(projection) ? 0.1 : 0.9);
  const share = isRecurrent(projection) ? 1 - own : own;
  const scales = Array.from(threshold, (theta, j) => {
    const of = ({ ebar, ehat }: ResponseIntegrals) => ({ ebar: ebar[j], ehat: ehat[j] });
    const response = { excitatory: of(excitation), inhibitory: of(inhibition) };
    return daleScales(distribution, drive, { sigma: theta * sigma, share }, response, path);
  });
  const units = unitsOf(network, projection);
  const rows = rowsOfWeights(network, projection);
  const signs = starts[k].signs!;
  const excitatory = isRecurrent(projection) ? "recurrent" : "feedForward";
  if (distribution.from === "normal") normalDraws(seed, k, draws);
  else uniformDraws(seed, k, draws);
  for (let w = 0; w < draws.length; w++) {
    const sign = signs[rows[w]];
    const scale = scales[units.ofWeight[w]][sign < 0 ? "inhibitory" : excitatory];
    draws[w] = (sign * scale * distribution.draw(draws[w])) / (projection.gain ?? 1);
  }
}

function drawSpyTorch(request: DrawRequest, k: number, scale: number, draws: Float64Array): void {
  const { network, seed } = request;
  const projection = network.projections[k];
  const population = network.populations[projection.target];
  const given = population.model.parameters.tauMemMs;
  if (given === undefined) {
    throw new UserError(
      `${ruleName(projection)} is "spyTorch", which needs a membrane time constant tauMemMs; ` +
        `${population.model.model.name} has none`,
    );
  }
  const units: Units = unitsOf(network, projection);
  const gains = Array.from({ length: population.size }, (_, j) => {
    const tau = typeof given === "number" ? given : given[j];
    return 1 - exp(-network.dtMs / tau);
  });
  const gain = meanOverUnits(units, gains);
  const root = Math.sqrt(fanIn(network, projection));
  normalDraws(seed, k, draws);
  for (let w = 0; w < draws.length; w++) draws[w] *= (scale * gain[units.ofWeight[w]]) / root;
}

function normalDraws(seed: number, k: number, draws: Float64Array): void {
  new Philox(seed).normal(streamOf(streamKind.gradientInitial, k), 0, draws);
}

function uniformDraws(seed: number, k: number, draws: Float64Array): void {
  new Philox(seed).uniform(streamOf(streamKind.gradientInitial, k), 0, draws);
}

/** Independent numbers with these moments. */
function drawPlain(
  seed: number,
  k: number,
  distribution: "normal" | "uniform",
  mean: number,
  sd: number,
  draws: Float64Array,
): void {
  if (distribution === "normal") {
    normalDraws(seed, k, draws);
    for (let w = 0; w < draws.length; w++) draws[w] = mean + sd * draws[w];
    return;
  }
  const half = Math.sqrt(3) * sd;
  uniformDraws(seed, k, draws);
  for (let w = 0; w < draws.length; w++) draws[w] = mean + half * (2 * draws[w] - 1);
}

/**
 * Draws the weights of projection k by its rule.
 * @returns weights as `NetworkValues` keeps them
 */
export function drawWeights(request: DrawRequest, k: number): Float32Array<ArrayBuffer> {
  const { network, starts, seed } = request;
  const { initial } = starts[k];
  if (initial instanceof Float32Array) return initial.slice();
  const projection = network.projections[k];
  const rule = ruleOf(request, k)!;
  const draws = new Float64Array(synapseCount(network, projection));
  const inputs = fanIn(network, projection);
  const root = Math.sqrt(inputs);
  switch (rule.type) {
    case "normal":
      normalDraws(seed, k, draws);
      for (let w = 0; w < draws.length; w++) draws[w] = (draws[w] * rule.gain) / root;
      break;
    case "uniform":
      uniformDraws(seed, k, draws);
      for (let w = 0; w < draws.length; w++) draws[w] = ((2 * draws[w] - 1) * rule.gain) / root;
      break;
    case "kaiming":
      drawPlain(seed, k, rule.distribution, 0, rule.gain / root, draws);
      break;
    case "glorot": {
      const sd = rule.gain * Math.sqrt(2 / (inputs + fanOut(network, projection)));
      drawPlain(seed, k, rule.distribution, 0, sd, draws);
      break;
    }
    case "fixed": {
      const divisor = { one: 1, fanIn: inputs, rootFanIn: root }[rule.over];
      drawPlain(seed, k, rule.distribution, rule.mean / divisor, rule.sd / divisor, draws);
      break;
    }
    case "orthogonal": {
      if (projection.connectivity !== "dense") {
        throw new UserError(`${ruleName(projection)} is "orthogonal", which needs all connections; use "normal"`);
      }
      normalDraws(seed, k, draws);
      const targets = network.populations[projection.target].size;
      orthonormalise(draws, sourceSize(network, projection), targets, ruleName(projection));
      for (let w = 0; w < draws.length; w++) draws[w] *= rule.gain;
      break;
    }
    case "spyTorch":
      drawSpyTorch(request, k, rule.scale, draws);
      break;
    case "fluctuation":
      drawFluctuation(request, k, rule, draws);
      break;
    case "daleFluctuation":
      drawDale(request, k, rule, draws);
      break;
  }
  return Float32Array.from(draws);
}

/**
 * Weights of all projections when nothing but the rate of the data is known; rules that go layer by layer begin with it.
 * @param dataRateHz mean rate of an input channel over the training data; null where inputs are currents
 */
export function initialWeights(
  network: GradientNetwork,
  starts: readonly Start[],
  seed: number,
  dataRateHz: number | null,
): Float32Array<ArrayBuffer>[] {
  const known = dataRateHz === null ? null : { meanHz: dataRateHz, perSourceHz: null };
  const request = { network, starts, seed, rates: network.projections.map(() => known) };
  return starts.map((_, k) => drawWeights(request, k));
}
