/**
 * From which density of the input on the gradient engine should deliver it four steps at a time, as a product of matrices,
 * and not event by event: the kernels of both forms on the same data, and whole samples forward and back in the engine,
 * held to either form.
 *
 *   forward:   I(t)[:] = sum over events (i, x) of step t: x W[i][:]            dense: I = X W
 *   backward:  G[i][:] += x a(t)[:] for every event                             dense: G = X' a
 *
 * Both forms must give the same bytes, and float64 sums say that they are right.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import { type Draws, openDraws } from "../../random/draws.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { DensityRig, type KernelRow } from "./gradient-density-kernels.ts";
import { initialEngine, trainingOf, withActivity } from "./gradient-networks.ts";
import { onePass } from "./gradient-parts.ts";
import {
  describeMachine,
  digits,
  machineLine,
  percent,
  type Spread,
  spreadOf,
  spreadText,
  table,
} from "./measurement.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const defaultRepeat = 15;
const inputs = 700;
const steps = 256;
const densities = [0.05, 0.2, 0.4, 0.5, 0.6, 0.8, 1];
const engineDensities = [0.2, 0.4, 0.5, 0.6, 0.8, 1];
/** Share of the neurons that spike in a step. */
const hiddenShare = 0.03;

interface EngineRow {
  readonly density: number;
  /** Microseconds per step, forward and back. */
  readonly event: Spread;
  readonly dense: Spread;
  readonly denseOverEvent: number;
  /** Whether the engine by itself takes the dense form here, and from which density on. */
  readonly takesDense: boolean;
  readonly denseFrom: number;
  readonly sameBytes: boolean;
}

/** Events with amplitudes at so many of the channels. */
function analogueSample(density: number, draws: Draws): StepEvents {
  const offsets = new Uint32Array(steps + 1);
  const channels: number[] = [];
  for (let t = 0; t < steps; t++) {
    for (let i = 0; i < inputs; i++) if (draws.uniform() < density) channels.push(i);
    offsets[t + 1] = channels.length;
  }
  const values = Float32Array.from(channels, () => draws.uniform());
  return { steps, offsets, channels: Uint32Array.from(channels), values };
}

/** A recurrent layer of current-based LIF neurons, BPTT, a loss at every step. */
async function measureEngine(density: number, neurons: number, seed: number, repeat: number): Promise<EngineRow> {
  const sample = { events: analogueSample(density, openDraws(seed, `density ${density}`)), target: { label: 0 } };
  const loss = { type: "crossEntropy", readout: "perStep" } as const;
  const choice = { cell: "StorkLIF", rule: "bptt", neurons, seed, inputs, loss } as const;
  const training = trainingOf(await withActivity(choice, [sample.events], hiddenShare));
  const held = await Promise.all(
    [Number.POSITIVE_INFINITY, 0].map((denseFrom) => initialEngine(training, { denseFrom })),
  );
  const times: number[][] = [[], []];
  for (let round = -5; round < repeat; round++) {
    for (const [i, engine] of held.entries()) {
      engine.clearGradients();
      const { forward, backward } = onePass(engine, training, [sample]);
      if (round >= 0) times[i].push((1000 * (forward + backward)) / steps);
    }
  }
  const free = await initialEngine(training);
  free.forward(sample.events);
  const [event, dense] = held.map(
    ({ gradients }) => new Uint32Array(gradients.buffer, gradients.byteOffset, gradients.length),
  );
  return {
    density,
    event: spreadOf(times[0]),
    dense: spreadOf(times[1]),
    denseOverEvent: spreadOf(times[0].map((time, round) => times[1][round] / time)).median,
    takesDense: free.dense,
    denseFrom: free.denseFrom,
    sameBytes: event.every((word, i) => word === dense[i]),
  };
}

/** Where a line through neighbouring rows says that both forms take the same time; null where one is always faster. */
function crossover(rows: readonly Pick<KernelRow, "density" | "denseOverEvent">[]): number | null {
  for (let i = 1; i < rows.length; i++) {
    const [low, high] = [rows[i - 1], rows[i]];
    if (low.denseOverEvent < 1 || high.denseOverEvent >= 1) continue;
    const share = (low.denseOverEvent - 1) / (low.denseOverEvent - high.denseOverEvent);
    return low.density + share * (high.density - low.density);
  }
  return null;
}

async function run(context: Context, options: WorkloadOptions) {
  const machine = describeMachine();
  const progress = new Progress(context);
  const repeat = options.repeat ?? defaultRepeat;
  const neurons = options.neurons ?? 256;
  const rig = new DensityRig({ inputs, neurons, steps }, openDraws(options.seed, "density"));
  await rig.warmUp();
  const rows: KernelRow[] = [];
  for (const valued of [false, true]) {
    for (const density of densities) {
      progress.say(`density: ${percent(density)}${valued ? ", with amplitudes" : ""}`);
      rows.push(rig.measure(density, valued, repeat));
    }
  }
  const engines: EngineRow[] = [];
  for (const density of engineDensities) {
    progress.say(`density: the whole engine, ${percent(density)}`);
    engines.push(await measureEngine(density, neurons, options.seed, repeat));
  }
  const equalAt = {
    spikes: crossover(rows.filter(({ valued }) => !valued)),
    amplitudes: crossover(rows.filter(({ valued }) => valued)),
    engine: crossover(engines),
  };
  const result = { machine, seed: options.seed, repeat, inputs, neurons, steps, rows, engines, equalAt };
  if (!options.json) context.stdout.write(textOf(result));
  return result;
}

function textOf({ machine, repeat, neurons, rows, engines, equalAt }: Awaited<ReturnType<typeof run>>): string {
  const equal = (density: number | null) => (density === null ? "nowhere" : percent(density));
  return (
    `input of ${inputs} channels to ${neurons} neurons, microseconds per step, median of ${repeat} (lowest..highest); dense/event above 1: the event form is faster\n` +
    machineLine(machine) +
    table(
      [
        "input",
        "density",
        "event forward",
        "dense",
        "event backward",
        "dense",
        "dense/event",
        "same bytes",
        "twin forward",
      ],
      rows.map((row) => [
        row.valued ? "amplitudes" : "spikes",
        percent(row.density),
        spreadText(row.eventForward),
        digits(row.denseForward.median),
        spreadText(row.eventBackward),
        digits(row.denseBackward.median),
        digits(row.denseOverEvent),
        row.sameBytes ? "yes" : "NO",
        digits(row.twinMicroseconds),
      ]),
    ) +
    `\nwhole samples forward and back, input with amplitudes to ${neurons} recurrent current-based LIF neurons, BPTT\n` +
    table(
      ["density", "event", "dense", "dense/event", "same bytes", "the engine takes"],
      engines.map((row) => [
        percent(row.density),
        spreadText(row.event),
        spreadText(row.dense),
        digits(row.denseOverEvent),
        row.sameBytes ? "yes" : "NO",
        row.takesDense ? "dense" : "event",
      ]),
    ) +
    `\nboth take the same time at a density of ${equal(equalAt.spikes)} (spikes), ${equal(equalAt.amplitudes)} (amplitudes), ${equal(equalAt.engine)} (whole engine); ` +
    `the engine changes at ${percent(engines[0].denseFrom)}\n`
  );
}

export const density: Workload = {
  name: "density",
  about: "input event by event against four steps at a time as a product, for densities of 5 to 100 %",
  run,
};
