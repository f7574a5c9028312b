/** Training by gradients watches itself: what every epoch says of the network, and in plain words why it cannot learn. */
import { periodsOf } from "../../learning/gradient/programs.ts";
import type { GradientNetwork } from "../../learning/gradient/spec.ts";

export interface LayerActivity {
  readonly name: string;
  readonly rateHz: number;
  /** Share of neurons without a spike in the whole epoch. */
  readonly silentShare: number;
  /** Share of neurons that spike at more than half of the steps at which they could. */
  readonly saturatedShare: number;
  /** Share of neurons and steps where the surrogate derivative is not 0; null when not measured. */
  readonly supportShare: number | null;
  /** Width of a cut surrogate that no neuron came within in some batch, so that it was widened; null otherwise. */
  readonly widenedTo: number | null;
}

export interface ActivitySums {
  /** By population: spikes of every neuron. */
  readonly counts: readonly Float64Array[];
  readonly steps: number;
  readonly support: readonly { readonly inside: number; readonly seen: number }[];
  /** By population: the new width of a cut surrogate that was widened. */
  readonly widened: Readonly<Record<string, number>>;
}

/** By population that spikes. */
export function activityOf(
  network: GradientNetwork,
  { counts, steps, support, widened }: ActivitySums,
): LayerActivity[] {
  return network.populations.flatMap((population, p) => {
    if (p === network.readout) return [];
    const { name, size } = population;
    const pauses = periodsOf(population, network.dtMs);
    let [spikes, silent, saturated] = [0, 0, 0];
    for (const [i, count] of counts[p].entries()) {
      spikes += count;
      if (count === 0) silent++;
      if (count > steps / (2 * (pauses[i] + 1))) saturated++;
    }
    const { inside, seen } = support[p];
    return [
      {
        name,
        rateHz: steps === 0 ? 0 : spikes / size / ((steps * network.dtMs) / 1000),
        silentShare: silent / size,
        saturatedShare: saturated / size,
        supportShare: seen === 0 ? null : inside / seen,
        widenedTo: widened[p] ?? null,
      },
    ];
  });
}

export interface HealthMessage {
  /** After which epoch it is said. */
  readonly epoch: number;
  readonly message: string;
}

/** An epoch as far as its health goes. */
interface Observed {
  readonly epoch: number;
  readonly train: { readonly loss: number };
  readonly gradientNorm: number;
  readonly gradientNorms: Readonly<Record<string, number>>;
  readonly layers: readonly LayerActivity[];
}

interface NamedLayer {
  readonly name: string;
  readonly type?: string;
}

const manySilent = 0.9;
const manySaturated = 0.5;
const littleSupport = 1e-3;
/** After so many epochs the loss should have fallen by this share. */
const patience = 5;
const smallestFall = 0.01;
const explodedNorm = 1000;

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What is wrong with one epoch: a name for each fault, and a sentence that says why and what to try. */
function faultsOf(epochs: readonly Observed[], place: number, layers: readonly NamedLayer[]) {
  const { train, gradientNorm, gradientNorms, layers: activity, epoch } = epochs[place];
  const faults: { name: string; message: string }[] = [];
  for (const { name, silentShare, saturatedShare, supportShare, widenedTo, rateHz } of activity) {
    const index = layers.findIndex((layer) => layer.name === name);
    // A maximum only repeats what the layer below does.
    if (layers[index]?.type === "pool") continue;
    const path = `network.layers.${index}`;
    if (silentShare > manySilent) {
      faults.push({
        name: `${name} silent`,
        message:
          `${percent(silentShare)} of the neurons of "${name}" never fire, so they pass nothing on: their input is too weak ` +
          `for the threshold; raise sigma or gain of ${path}.initial, or add the regulariser lowerBound`,
      });
    }
    if (saturatedShare > manySaturated) {
      faults.push({
        name: `${name} saturated`,
        message:
          `${percent(saturatedShare)} of the neurons of "${name}" fire almost without pause (${rateHz.toFixed(0)} Hz), so ` +
          `their spikes tell nothing: lower ${path}.initial or add the regulariser upperBound`,
      });
    }
    if (widenedTo !== null && silentShare <= manySilent) {
      faults.push({
        name: `${name} widened`,
        message:
          `in a batch no neuron of "${name}" came as near to its threshold as its surrogate reaches, so it was widened to ` +
          `${widenedTo.toPrecision(3)}: give ${path}.surrogate this width from the start, or raise ${path}.initial`,
      });
    }
    if (supportShare !== null && supportShare < littleSupport && silentShare <= manySilent) {
      faults.push({
        name: `${name} support`,
        message:
          `the surrogate derivative of "${name}" is zero almost everywhere, so no error comes through: widen it ` +
          `(${path}.surrogate: a smaller beta, or a larger width)`,
      });
    }
  }
  // Where a layer is silent or out of reach, that is why nothing above or below it learns.
  const idle = Object.keys(gradientNorms).filter((name) => gradientNorms[name] === 0);
  if (idle.length > 0 && faults.length === 0) {
    const names = idle.map((name) => `"${name}"`).join(", ");
    faults.push({
      name: "idle",
      message:
        `the gradient of ${names} is zero, so nothing is learned there: no spikes reach it, or no error does; look at the ` +
        "rates and surrogates of the layers on the way to the readout",
    });
  }
  const first = epochs[0].gradientNorm;
  if (first > 0 && gradientNorm > explodedNorm * first) {
    faults.push({
      name: "exploding",
      message:
        `gradients are ${Math.round(gradientNorm / first)} times as large as at the start: they grow through time; give ` +
        "learning.clipNorm, for example 1, or lower recurrentInitial",
    });
  }
  if (epoch >= patience && train.loss > (1 - smallestFall) * epochs[0].train.loss) {
    faults.push({
      name: "not falling",
      message:
        `after ${epoch} epochs the loss is ${train.loss.toPrecision(3)}, where it began at ` +
        `${epochs[0].train.loss.toPrecision(3)}: change learning.optimiser.rate (ten times smaller if it jumps, larger if ` +
        "it creeps), and make sure that labels and encoder fit the data",
    });
  }
  return faults;
}

/** Everything to be said of a training so far; each fault once, when it first shows. */
export function healthOf(
  epochs: readonly Observed[],
  { network }: { readonly network: { readonly layers: readonly NamedLayer[] } },
): HealthMessage[] {
  const said = new Set<string>();
  return epochs.flatMap(({ epoch }, place) =>
    faultsOf(epochs, place, network.layers).flatMap(({ name, message }) => {
      if (said.has(name)) return [];
      said.add(name);
      return [{ epoch, message }];
    }),
  );
}
