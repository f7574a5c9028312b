/** What a worker of an RLS training run answers: the calls of trainer.ts, on the member that it holds. */
import { SingleCommunicator } from "../../device/communicator/single.ts";
import { ThreadsCommunicator, type ThreadsMemory } from "../../device/communicator/threads.ts";
import type { Host } from "../../device/cpu/group.ts";
import { Member } from "./member.ts";
import { readItems, stateSections, writeItems } from "./member-state.ts";
import type { TargetSource } from "./targets.ts";
import { TestAccumulator, type TestRequest } from "./test-accumulator.ts";
import type { MemberSetup, TrialOutcome, TrialRequest } from "./trial.ts";

/** Sizes of a member, in the order of ranks they add up to the network. */
export interface MemberSizes {
  readonly neurons: number;
  readonly trained: Uint32Array;
  readonly bytes: number;
}

/** What every member reports of a training trial; arrays have one entry per own trained neuron. */
export interface TrainOutcome extends TrialOutcome {
  readonly correlations: Float64Array | null;
  readonly squaredError: Float32Array;
  readonly gain: Float32Array;
  readonly largestGain: Float32Array;
}

export interface Raster {
  readonly steps: Uint32Array;
  readonly neurons: Uint32Array;
}

export class MemberHost {
  #member!: Member;
  #test: TestAccumulator | null = null;
  #taskBeforeTest = 0;

  async create(setup: MemberSetup, memory: ThreadsMemory | null, rank: number): Promise<MemberSizes> {
    const communicator = memory ? new ThreadsCommunicator(memory, rank) : new SingleCommunicator();
    this.#member = await Member.create(setup, communicator);
    const { shards } = this.#member;
    return {
      neurons: shards.reduce((n, shard) => n + shard.range.size, 0),
      trained: Uint32Array.from(shards.flatMap((shard) => [...shard.trainedGlobal])),
      bytes: shards.reduce((n, shard) => n + shard.memory.bytes, 0),
    };
  }

  connect(pool: Uint32Array | null): Promise<[number, number]> {
    return this.#member.connect(pool);
  }

  sources(neurons: Uint32Array, pool: Uint32Array | null): Promise<Uint32Array> {
    return this.#member.sourcesOf(neurons, pool);
  }

  runStatic(): ReturnType<Member["runStatic"]> {
    return this.#member.runStatic();
  }

  setTargets(source: TargetSource): void {
    this.#member.setTargets(source);
  }

  train(request: TrialRequest, resume: boolean): TrainOutcome {
    const member = this.#member;
    const outcome = resume ? member.resumeTrial(request) : member.runTrial(request);
    const field = (name: Parameters<(typeof member.shards)[number]["plastic"]["record"]>[1]) => {
      const values = new Float32Array(member.record.trained);
      let position = 0;
      for (const shard of member.shards) {
        for (let t = 0; t < shard.trainedGlobal.length; t++) values[position++] = shard.plastic.record(t, name);
      }
      return values;
    };
    return {
      ...outcome,
      correlations: outcome.finished && request.record ? member.record.correlations(request.task) : null,
      squaredError: field("squaredError"),
      gain: field("gain"),
      largestGain: field("largestGain"),
    };
  }

  beginTest(request: TestRequest): void {
    this.#taskBeforeTest = this.#member.taskWeights.current;
    this.#test = new TestAccumulator(this.#member, request);
  }

  /** With `raster`, rank 0 keeps all spikes of the trial. */
  testTrial(task: number, index: number, raster: boolean): { outcome: TrialOutcome; raster: Raster | null } {
    const steps: number[] = [];
    const neurons: number[] = [];
    this.#member.onSpikes = raster
      ? (step, spikes, count) => {
          for (let i = 0; i < count; i++) {
            steps.push(step);
            neurons.push(spikes[i]);
          }
        }
      : null;
    const outcome = this.#test!.run(task, index);
    this.#member.onSpikes = null;
    return { outcome, raster: raster ? { steps: Uint32Array.from(steps), neurons: Uint32Array.from(neurons) } : null };
  }

  testFigures(): ReturnType<TestAccumulator["figures"]> {
    return this.#test!.figures();
  }

  trialCorrelations(): TestAccumulator["trialCorrelations"] {
    return this.#test!.trialCorrelations;
  }

  example(position: number): ReturnType<TestAccumulator["example"]> {
    return this.#test!.example(position);
  }

  /** Leaves no trace of the test in the state, even if it was interrupted. */
  endTest(): void {
    this.#test = null;
    this.#member.taskWeights.use(this.#taskBeforeTest);
    this.#member.paused = { step: 0, heldSamples: 0 };
  }

  /** Between trials: whose feed-forward weights are in place. */
  setTask(task: number): void {
    this.#member.taskWeights.current = task;
    this.#member.paused = { step: 0, heldSamples: 0 };
  }

  /** Where an interrupted trial stands, with the spikes that its next step delivers. */
  pausedTrial(): { paused: Member["paused"]; spikes: number[]; networkSpikes: number } {
    const { paused, spikes, spikeCount, networkSpikeCount } = this.#member;
    return { paused, spikes: [...spikes.subarray(0, spikeCount)], networkSpikes: networkSpikeCount };
  }

  setPausedTrial(state: ReturnType<MemberHost["pausedTrial"]>, task: number): void {
    const member = this.#member;
    member.taskWeights.current = task;
    member.paused = state.paused;
    member.spikes.set(state.spikes);
    member.spikeCount = state.spikes.length;
    member.networkSpikeCount = state.networkSpikes;
    member.record.seek(state.paused.step);
  }

  sections(totals: { neurons: number; trained: number }, withP: boolean): ReturnType<typeof stateSections> {
    return stateSections(this.#member, totals, withP);
  }

  read(name: string, from: number, to: number): Uint8Array {
    return readItems(this.#member, name, from, to);
  }

  write(name: string, from: number, bytes: Uint8Array): void {
    writeItems(this.#member, name, from, bytes);
  }
}

/** The host as a table of methods, for a worker to serve or for this thread to call. */
export function rlsHost(): Host {
  const host = new MemberHost();
  return Object.fromEntries(
    Object.getOwnPropertyNames(MemberHost.prototype)
      .filter((name) => name !== "constructor")
      .map((name) => [name, (...args: never[]) => (host as unknown as Host)[name](...args)]),
  );
}
