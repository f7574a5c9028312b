/**
 * All members of a training, as their conductor sees them: they are told what changes, samples are dealt to them, and
 * what they report comes back as one.
 */
import { UserError } from "../../base/errors.ts";
import type { WorkerGroup } from "../../device/cpu/group.ts";
import { lanesOf } from "./lanes.ts";
import type { BatchCount, CountRequest, LabelledEvents, Lane, RunRequest, RunResult } from "./member.ts";
import { gradientSum, type SampleResults, sampleResults } from "./results.ts";
import type { SparseRows } from "./spec.ts";
import type { CutSurrogate } from "./surrogate.ts";
import type { TrainingSpec } from "./training-spec.ts";

/** What a batch gave: the sum of its gradients, and what members saw on the way. */
export interface BatchResults extends Pick<RunResult, "regularisation" | "support" | "nearest"> {
  readonly samples: SampleResults;
  /** As the engine has it: a block like that of the values. */
  readonly gradients: Float32Array<ArrayBuffer>;
}

export class MemberGroup {
  readonly #group: WorkerGroup;
  readonly #spec: TrainingSpec;
  /** Whether members have the present values. */
  #haveValues = false;

  /** @throws UserError when the lanes cannot be split over the workers */
  constructor(group: WorkerGroup, spec: TrainingSpec) {
    const { lanes } = spec;
    if (!(Number.isInteger(Math.log2(lanes)) && lanes >= group.size)) {
      throw new UserError(
        `lanes is ${lanes} for ${group.size} threads; it must be a power of two and at least the number of threads`,
      );
    }
    this.#group = group;
    this.#spec = spec;
  }

  async create(): Promise<void> {
    await this.#group.callAll("create", () => [this.#spec]);
  }

  async setFeedback(projection: number, matrix: Float32Array): Promise<void> {
    await this.#group.callAll("setFeedback", () => [projection, matrix]);
  }

  async setSparse(projection: number, rows: SparseRows): Promise<void> {
    await this.#group.callAll("setSparse", () => [projection, rows]);
  }

  async setSurrogate(population: number, surrogate: CutSurrogate): Promise<void> {
    await this.#group.callAll("setSurrogate", () => [population, surrogate]);
  }

  /** The next run brings the values along. */
  forgetValues(): void {
    this.#haveValues = false;
  }

  /**
   * Gradients of a batch.
   * @param weight of the loss and gradient of each sample
   * @param step updates of the parameters so far
   */
  async train(
    batch: readonly LabelledEvents[],
    values: Float32Array,
    weight: number,
    step: number,
  ): Promise<BatchResults> {
    const lanes = this.#deal(batch);
    const batchCounts = await this.#countSpikes(lanes, values, step);
    const results = await this.#run(lanes, values, { weight, train: true, batchCounts, step });
    return {
      samples: sampleResults(lanes, results, this.#outputs),
      gradients: gradientSum(results),
      regularisation: results.reduce((total, result) => total + result.regularisation, 0),
      support: results[0].support,
      nearest: results[0].nearest.map((_, population) => Math.min(...results.map((own) => own.nearest[population]))),
    };
  }

  /** Runs samples without learning. */
  async test(samples: readonly LabelledEvents[], values: Float32Array): Promise<SampleResults> {
    const lanes = this.#deal(samples);
    const results = await this.#run(lanes, values, { weight: 1, train: false, batchCounts: null });
    return sampleResults(lanes, results, this.#outputs);
  }

  close(): Promise<void> {
    return this.#group.close();
  }

  get #outputs(): number {
    return this.#spec.populations[this.#spec.readout].size;
  }

  /** Sample i goes to lane i mod lanes. */
  #deal(samples: readonly LabelledEvents[]): Lane[] {
    const { lanes } = this.#spec;
    return Array.from({ length: lanes }, (_, lane) => ({
      lane,
      samples: samples.filter((_, i) => i % lanes === lane),
    }));
  }

  /** Sums that regularisers of whole batches need before the way back; null where there are none. */
  async #countSpikes(
    lanes: readonly Lane[],
    values: Float32Array,
    step: number,
  ): Promise<(BatchCount | null)[] | null> {
    const needed = this.#spec.regularisers.some(
      ({ description: d }) => d.type === "spikeCount" || (d.type === "meanRate" && d.over === "batch"),
    );
    if (!needed) return null;
    const parts = await this.#callWithLanes<(BatchCount | null)[]>("countSpikes", lanes, values, { step });
    return parts[0].map((first, r) => {
      if (first === null) return null;
      const counts = new Float64Array(first.counts.length);
      for (const part of parts) for (let i = 0; i < counts.length; i++) counts[i] += part[r]!.counts[i];
      return { counts, steps: parts.reduce((sum, part) => sum + part[r]!.steps, 0) };
    });
  }

  #run(lanes: readonly Lane[], values: Float32Array, rest: Rest<RunRequest>): Promise<RunResult[]> {
    return this.#callWithLanes("run", lanes, values, rest);
  }

  /** Every member gets its own lanes, and the values unless it has them. */
  async #callWithLanes<T>(
    method: string,
    lanes: readonly Lane[],
    values: Float32Array,
    rest: Rest<RunRequest> | Rest<CountRequest>,
  ): Promise<T[]> {
    const news = this.#haveValues ? null : values;
    const results = await this.#group.callAll<T>(method, (rank) => {
      const { from, to } = lanesOf(rank, this.#group.size, lanes.length);
      return [{ ...rest, values: news, lanes: lanes.slice(from, to) }];
    });
    this.#haveValues = true;
    return results;
  }
}

/** A request besides what every request has. */
type Rest<Request> = Omit<Request, "values" | "lanes">;
