/**
 * Frozen test trials of one worker's trained neurons: sums over trials, and figures per neuron at the end.
 *
 * Figures of merit: docs/method.md, section "Figures of merit". All sums are per neuron, so they do not depend on how
 * neurons are spread; whoever averages over neurons does it in their order.
 */
import { mean, pearson } from "../../math/statistics.ts";
import type { Member } from "./member.ts";
import { firstTestTrial, type TrialOutcome } from "./trial.ts";
import { targetRows } from "./trial-record.ts";

export interface TestRequest {
  readonly trials: number;
  /** [task][row][unit] recorded rates in Hz, and rates of held-out trials. */
  readonly recordedHz: Float32Array | null;
  readonly heldOutHz: Float32Array | null;
  readonly units: number;
  /** Position of this worker's first trained neuron among all. */
  readonly firstPosition: number;
}

/** Per trained neuron of a worker; correlations are averaged over tasks. */
export interface TestFigures {
  readonly single: Float64Array;
  readonly average: Float64Array;
  /** Squared distance of the mean over trials from the target, and squared deviation of the target from its mean. */
  readonly residual: Float64Array;
  readonly targetVariance: Float64Array;
  readonly psthBinned: Float64Array;
  readonly psthWindowed: Float64Array;
  readonly heldOut: Float64Array;
  /** Sums for the correlation of differences between two tasks: x, y, xx, yy, xy of every neuron. */
  readonly selectivity: Float64Array;
  readonly rateHz: Float64Array;
  readonly rateInWindowHz: Float64Array;
  readonly cvIsi: Float64Array;
  readonly fano: Float64Array;
}

interface TaskSums {
  /** [row][trained] */
  readonly current: Float64Array;
  readonly windowedSpikes: Float64Array;
  readonly binnedSpikes: Float64Array;
  readonly singleSum: Float64Array;
  readonly count: Float64Array;
  readonly countSquared: Float64Array;
}

export class TestAccumulator {
  readonly #member: Member;
  readonly #request: TestRequest;
  readonly #tasks: TaskSums[];
  readonly #interval: { n: Float64Array; sum: Float64Array; squares: Float64Array };
  readonly #spikesInWindow: Float64Array;
  /** Per trial: sum of correlations over own neurons in units of 1/correlationUnit, and how many are defined. */
  readonly trialCorrelations: { sums: number[]; counts: number[] } = { sums: [], counts: [] };
  /** [task][trial][row][trained], only for small networks: examples are chosen when all is known. */
  readonly currents: Float32Array[][] | null;

  constructor(member: Member, request: TestRequest) {
    this.#member = member;
    this.#request = request;
    const { trained } = member.record;
    const { rows } = member.steps;
    const zeros = (n: number) => new Float64Array(n);
    const { tasks } = member.network.spec;
    this.#tasks = Array.from({ length: tasks }, () => ({
      current: zeros(rows * trained),
      windowedSpikes: zeros(rows * trained),
      binnedSpikes: zeros(rows * trained),
      singleSum: zeros(trained),
      count: zeros(trained),
      countSquared: zeros(trained),
    }));
    this.#interval = { n: zeros(trained), sum: zeros(trained), squares: zeros(trained) };
    this.#spikesInWindow = zeros(trained);
    const bytes = 4 * tasks * request.trials * rows * trained;
    this.currents = bytes <= keepCurrentsBelow ? Array.from({ length: tasks }, () => []) : null;
  }

  /** Runs test trial `index` of a task. */
  run(task: number, index: number): TrialOutcome {
    const { trials } = this.#request;
    const member = this.#member;
    const outcome = member.runTrial({
      kind: "test",
      trial: firstTestTrial + task * trials + index,
      task,
      record: true,
      keep: 1,
    });
    if (outcome.finished) this.#add(task, outcome);
    return outcome;
  }

  #add(task: number, outcome: TrialOutcome): void {
    const { record, steps } = this.#member;
    const { trained } = record;
    const { rows } = steps;
    const sums = this.#tasks[task];
    const current = new Float64Array(rows);
    const windowed = new Float64Array(rows);
    const binned = new Float64Array(rows);
    const target = new Float64Array(rows);
    const kept = this.currents ? new Float32Array(rows * trained) : null;
    let correlations = 0;
    let defined = 0;
    this.#forTrained((shard, t, position) => {
      record.currentRows(position, current);
      targetRows(shard, t, task, target);
      const correlation = pearson(current, target);
      sums.singleSum[position] += correlation;
      if (!Number.isNaN(correlation)) {
        correlations += Math.round(correlation * correlationUnit);
        defined++;
      }
      windowed.fill(0);
      binned.fill(0);
      record.addSpikeRows(position, true, windowed);
      record.addSpikeRows(position, false, binned);
      for (let row = 0; row < rows; row++) {
        const at = row * trained + position;
        sums.current[at] += current[row];
        sums.windowedSpikes[at] += windowed[row];
        sums.binnedSpikes[at] += binned[row];
        this.#spikesInWindow[position] += binned[row];
        if (kept) kept[at] = current[row];
      }
    });
    this.trialCorrelations.sums.push(correlations);
    this.trialCorrelations.counts.push(defined);
    if (kept) this.currents![task].push(kept);
    // Spike counts come for all own neurons; intervals from the spike trains that the record kept.
    const own = this.#ownPositions();
    outcome.spikeCounts.forEach((spikes, index) => {
      const position = own[index];
      if (position < 0) return;
      sums.count[position] += spikes;
      sums.countSquared[position] += spikes * spikes;
    });
    record.intervals((position, steps) => {
      this.#interval.n[position]++;
      this.#interval.sum[position] += steps;
      this.#interval.squares[position] += steps * steps;
    });
  }

  /** Position among the trained neurons of every own neuron, -1 for untrained ones. */
  #ownPositions(): Int32Array {
    const positions: number[] = [];
    let next = 0;
    for (const shard of this.#member.shards) {
      const trained = new Set(shard.trainedGlobal);
      for (const { firstGlobal, size } of shard.range.segments) {
        for (let i = 0; i < size; i++) positions.push(trained.has(firstGlobal + i) ? next++ : -1);
      }
    }
    return Int32Array.from(positions);
  }

  #forTrained(body: (shard: Member["shards"][number], t: number, position: number) => void): void {
    let position = 0;
    for (const shard of this.#member.shards) {
      for (let t = 0; t < shard.trainedGlobal.length; t++) body(shard, t, position++);
    }
  }

  figures(): TestFigures {
    const { record, steps, network } = this.#member;
    const { trials, recordedHz, heldOutHz } = this.#request;
    const { trained, bins } = record;
    const { rows } = steps;
    const { timing } = network.spec;
    const zeros = () => new Float64Array(trained);
    const result = {
      single: zeros(),
      average: zeros(),
      residual: zeros(),
      targetVariance: zeros(),
      psthBinned: zeros(),
      psthWindowed: zeros(),
      heldOut: zeros(),
      selectivity: new Float64Array(5 * trained),
      rateHz: zeros(),
      rateInWindowHz: zeros(),
      cvIsi: zeros(),
      fano: zeros(),
    };
    const tasks = this.#tasks.length;
    const sampleMs = steps.sampleEvery * timing.dtMs;
    const [model, data, target] = [0, 1, 2].map(() => new Float64Array(rows));
    const windowedModel = Array.from({ length: tasks }, () => new Float64Array(rows));
    const windowedData = Array.from({ length: tasks }, () => new Float64Array(rows));
    this.#forTrained((shard, t, position) => {
      this.#tasks.forEach((sums, task) => {
        const column = (from: Float64Array, out: Float64Array, factor: (row: number) => number) => {
          for (let row = 0; row < rows; row++) out[row] = from[row * trained + position] * factor(row);
        };
        targetRows(shard, t, task, target);
        result.single[position] += sums.singleSum[position] / trials / tasks;
        column(sums.current, model, () => 1 / trials);
        result.average[position] += pearson(model, target) / tasks;
        const targetMean = mean(target);
        for (let row = 0; row < rows; row++) {
          result.residual[position] += (model[row] - target[row]) ** 2;
          result.targetVariance[position] += (target[row] - targetMean) ** 2;
        }
        const meanCount = sums.count[position] / trials;
        const variance = (sums.countSquared[position] - trials * meanCount ** 2) / (trials - 1);
        result.fano[position] += variance / meanCount / tasks;
        result.rateHz[position] += meanCount / tasks;
        column(sums.windowedSpikes, windowedModel[task], (row) => 1000 / (trials * bins.rows[row].samples * sampleMs));
        if (!recordedHz) return;
        this.#recorded(recordedHz, task, position, data);
        column(sums.binnedSpikes, model, (row) => 1000 / (trials * bins.intervals[row].samples * sampleMs));
        result.psthBinned[position] += pearson(model, data) / tasks;
        this.#inWindows(data, windowedData[task]);
        result.psthWindowed[position] += pearson(windowedModel[task], windowedData[task]) / tasks;
        if (!heldOutHz) return;
        this.#recorded(heldOutHz, task, position, data);
        this.#inWindows(data, target);
        result.heldOut[position] += pearson(windowedModel[task], target) / tasks;
      });
      if (recordedHz && tasks >= 2) {
        for (let row = 0; row < rows; row++) {
          const x = windowedModel[1][row] - windowedModel[0][row];
          const y = windowedData[1][row] - windowedData[0][row];
          [x, y, x * x, y * y, x * y].forEach((value, k) => {
            result.selectivity[5 * position + k] += value;
          });
        }
      }
      const { n, sum, squares } = this.#interval;
      const meanInterval = sum[position] / n[position];
      const spread = (squares[position] - n[position] * meanInterval ** 2) / (n[position] - 1);
      result.cvIsi[position] = n[position] >= 2 ? Math.sqrt(Math.max(0, spread)) / meanInterval : Number.NaN;
      result.rateHz[position] *= 1000 / (steps.steps * timing.dtMs);
      result.rateInWindowHz[position] =
        (1000 * this.#spikesInWindow[position]) / (tasks * trials * rows * timing.learnEveryMs);
    });
    return result;
  }

  /** Rates of the unit that a neuron follows. */
  #recorded(rates: Float32Array, task: number, position: number, out: Float64Array): void {
    const { units, firstPosition } = this.#request;
    const unit = (firstPosition + position) % units;
    for (let row = 0; row < out.length; row++) out[row] = rates[(task * out.length + row) * units + unit];
  }

  /** Recorded rates, constant over the interval of each row, averaged in the same windows as the model's spikes. */
  #inWindows(rates: Float64Array, out: Float64Array): void {
    const { bins, steps } = this.#member.record;
    const perRow = steps.learnEvery / steps.sampleEvery;
    bins.rows.forEach(({ first, last, samples }, row) => {
      const from = first === 0 ? 0 : bins.ends[first - 1];
      let sum = 0;
      for (let sample = from; sample < bins.ends[last]; sample++) sum += rates[Math.floor(sample / perRow)];
      out[row] = sum / samples;
    });
  }

  /** For one trained neuron: target, currents of every trial, rates in windows, per task. */
  example(position: number): {
    target: Float32Array[];
    current: Float32Array[][];
    rateHz: Float32Array[];
    recordedHz: Float32Array[] | null;
  } {
    const { record, steps, network } = this.#member;
    const { trained, bins } = record;
    const { rows } = steps;
    const sampleMs = steps.sampleEvery * network.spec.timing.dtMs;
    const { recordedHz, trials } = this.#request;
    let found: { shard: Member["shards"][number]; t: number } | null = null;
    this.#forTrained((shard, t, at) => {
      if (at === position) found = { shard, t };
    });
    const { shard, t } = found!;
    const data = new Float64Array(rows);
    const windowed = new Float64Array(rows);
    return {
      target: this.#tasks.map((_, task) => {
        const target = new Float32Array(rows);
        targetRows(shard, t, task, target);
        return target;
      }),
      current: (this.currents ?? this.#tasks.map(() => [])).map((all) =>
        all.map((values) => Float32Array.from({ length: rows }, (_, row) => values[row * trained + position])),
      ),
      rateHz: this.#tasks.map((sums) =>
        Float32Array.from(
          { length: rows },
          (_, row) =>
            (1000 * sums.windowedSpikes[row * trained + position]) / (trials * bins.rows[row].samples * sampleMs),
        ),
      ),
      recordedHz: recordedHz
        ? this.#tasks.map((_, task) => {
            this.#recorded(recordedHz, task, position, data);
            this.#inWindows(data, windowed);
            return Float32Array.from(windowed);
          })
        : null,
    };
  }
}

/** Sums over neurons are kept as whole numbers, so that they do not depend on the order of summation. */
export const correlationUnit = 2 ** 30;

/** Larger tests keep no single trials of single neurons. */
const keepCurrentsBelow = 400e6;
