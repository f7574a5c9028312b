/** Frozen test trials of the whole network: conducts the members' accumulators and makes one report. */
import { mean } from "../../math/statistics.ts";
import type { Raster } from "./host.ts";
import type { ExampleNeuron, TestReport } from "./results.ts";
import type { RlsSpec } from "./spec.ts";
import { correlationUnit, type TestFigures, type TestRequest } from "./test-accumulator.ts";
import { trialSteps } from "./timing.ts";
import type { TestOptions, TrainerTargets } from "./trainer-options.ts";
import type { TrialOutcome } from "./trial.ts";

export interface TestedNetwork {
  readonly spec: RlsSpec;
  readonly targets: TrainerTargets;
  /** Training trials completed. */
  readonly iteration: number;
  readonly trained: Uint32Array;
  /** Position of every member's first trained neuron. */
  readonly firstPositions: readonly number[];
  callAll<T>(method: string, args: (rank: number) => unknown[]): Promise<T[]>;
  call<T>(rank: number, method: string, args: unknown[]): Promise<T>;
}

export async function runTest(
  network: TestedNetwork,
  { trials, exampleNeurons, onTrial }: TestOptions,
): Promise<TestReport | "interrupted"> {
  const { spec, targets, trained, firstPositions } = network;
  const { rows, steps } = trialSteps(spec.timing);
  const recording = targets.recording?.quantity === "rateHz" ? targets.recording : null;
  const request = (rank: number): TestRequest => ({
    trials,
    recordedHz: recording ? Float32Array.from(recording.values) : null,
    heldOutHz: recording?.heldOut ? Float32Array.from(recording.heldOut) : null,
    units: recording?.neurons ?? trained.length,
    firstPosition: firstPositions[rank],
  });
  await network.callAll("beginTest", (rank) => [request(rank)]);
  const raster: Raster[] = [];
  let highest = 0;
  let spikes = 0;
  const trialSeconds = (steps * spec.timing.dtMs) / 1000;
  for (let task = 0; task < spec.tasks; task++) {
    for (let index = 0; index < trials; index++) {
      const answers = await network.callAll<{ outcome: TrialOutcome; raster: Raster | null }>("testTrial", (rank) => [
        task,
        index,
        rank === 0 && index === 0,
      ]);
      if (!answers[0].outcome.finished) {
        await network.callAll("endTest", () => []);
        return "interrupted";
      }
      const count = answers.reduce((n, { outcome }) => n + outcome.spikeCounts.reduce((a, b) => a + b, 0), 0);
      spikes += count;
      highest = Math.max(highest, count / spec.neurons / trialSeconds);
      onTrial?.(task * trials + index + 1, spec.tasks * trials);
      if (answers[0].raster) raster.push(answers[0].raster);
    }
  }
  const parts = await network.callAll<TestFigures>("testFigures", () => []);
  const figure = (name: Exclude<keyof TestFigures, "selectivity">) => parts.flatMap((part) => [...part[name]]);
  const average = figure("average");
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const known = (values: readonly number[]) => mean(values.filter((value) => Number.isFinite(value)));
  const examples = await chooseExamples(network, average, exampleNeurons);
  const worstTrial = Math.min(...(await trialMeans(network)));
  await network.callAll("endTest", () => []);
  return {
    iteration: network.iteration,
    trialsPerTask: trials,
    neurons: spec.neurons,
    excitatory: spec.excitatory,
    rows,
    learnEveryMs: spec.timing.learnEveryMs,
    stimulusOffMs: spec.timing.stimulusOffMs,
    trialMs: trialSeconds * 1000,
    taskNames:
      recording?.taskNames ??
      targets.recording?.taskNames ??
      Array.from({ length: spec.tasks }, (_, k) => `task ${k + 1}`),
    trained,
    current: {
      single: known(figure("single")),
      worstTrial,
      average: known(average),
      varianceExplained: 1 - sum(figure("residual")) / sum(figure("targetVariance")),
      undefinedNeurons: average.filter((value) => !Number.isFinite(value)).length,
    },
    psth: recording
      ? {
          binned: known(figure("psthBinned")),
          windowed: known(figure("psthWindowed")),
          windowMs: spec.correlationWindowMs,
          selectivity: spec.tasks >= 2 ? selectivity(parts, rows * trained.length) : null,
          heldOut: recording.heldOut ? known(figure("heldOut")) : null,
        }
      : null,
    rateHz: spikes / spec.neurons / trialSeconds / trials / spec.tasks,
    rateInWindowHz: known(figure("rateInWindowHz")),
    highestTrialRateHz: highest,
    perNeuron: {
      correlation: Float32Array.from(average),
      rateHz: Float32Array.from(figure("rateHz")),
      cvIsi: Float32Array.from(figure("cvIsi")),
      fano: Float32Array.from(figure("fano")),
    },
    examples,
    raster,
  };
}

/** Mean over neurons of the correlation of every single trial. */
async function trialMeans(network: TestedNetwork): Promise<number[]> {
  const parts = await network.callAll<{ sums: number[]; counts: number[] }>("trialCorrelations", () => []);
  return parts[0].sums.map((_, trial) => {
    const [sum, count] = parts.reduce(([s, n], part) => [s + part.sums[trial], n + part.counts[trial]], [0, 0]);
    return sum / correlationUnit / count;
  });
}

/** One correlation over all neurons and rows from the sums of every neuron. */
function selectivity(parts: readonly TestFigures[], count: number): number {
  const sums = [0, 0, 0, 0, 0];
  for (const { selectivity: each } of parts) for (let i = 0; i < each.length; i++) sums[i % 5] += each[i];
  const [x, y, xx, yy, xy] = sums;
  return (count * xy - x * y) / Math.sqrt((count * xx - x * x) * (count * yy - y * y));
}

/** Best, median, worst and evenly spaced neurons between, by the correlation of the trial average. */
async function chooseExamples(
  network: TestedNetwork,
  correlation: readonly number[],
  count: number,
): Promise<ExampleNeuron[]> {
  const order = correlation
    .map((value, position) => ({ value, position }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => b.value - a.value);
  const chosen = new Set<number>();
  for (let k = 0; k < Math.min(count, order.length); k++) {
    chosen.add(order[Math.round((k * (order.length - 1)) / Math.max(1, count - 1))].position);
  }
  const { firstPositions } = network;
  const examples: ExampleNeuron[] = [];
  for (const position of chosen) {
    const rank = firstPositions.findLastIndex((first) => first <= position);
    const parts = await network.call<Omit<ExampleNeuron, "neuron" | "correlation">>(rank, "example", [
      position - firstPositions[rank],
    ]);
    examples.push({ neuron: network.trained[position], correlation: correlation[position], ...parts });
  }
  return examples;
}
