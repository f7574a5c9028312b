/**
 * A trained classifier that lives in time: what arrives in one step goes in, the readout comes out, and so on without end.
 *
 * ```ts
 * const classifier = new StreamingClassifier({ network: trainer.network, values: trainer.values(), loss });
 * for (;;) {
 *   classifier.step(channelsThatSpiked);
 *   if (soundIsOver) console.log(classifier.predicted, classifier.probabilities());
 * }
 * ```
 * It runs the forward kernels of the engine with the same bytes as a whole sample, but keeps only what the next step
 * needs: states, and the lists of spikes that are still on their way. Lists and readouts fill a page of some steps; when
 * it is full, the lists that delays still reach move to its start and the page is used again.
 */
import { UserError } from "../../base/errors.ts";
import type { LossDescription } from "../losses/loss.ts";
import { softmax } from "../losses/softmax.ts";
import { writeValues } from "./blocks.ts";
import { GradientEngine } from "./engine.ts";
import type { EngineRoom } from "./engine-memory.ts";
import { inputForm } from "./network-kernels.ts";
import { RunningReadout } from "./running-readout.ts";
import { type GradientNetwork, type NetworkValues, synapseCount } from "./spec.ts";

export interface StreamingSetup {
  readonly network: GradientNetwork;
  /** What was learned: `trainer.values()`. */
  readonly values: NetworkValues<ArrayLike<number>>;
  /** The loss of the training, which says what classes are predicted from. Default: the largest value over time. */
  readonly loss?: LossDescription;
  /** Fused multiply-add where the machine has it: faster, bytes differ between machines. Default false. */
  readonly relaxed?: boolean;
}

/** Steps of a page beyond those that delays reach back: moving lists costs little if it is rare. */
const pageSteps = 64;

/** A list of lists: entries back to back, and where those of each step start, as byte addresses. */
interface SpikeLists {
  readonly entries: number;
  readonly starts: number;
  /** Numbers that lie beside the entries, at the same distances; null without. */
  readonly values: number | null;
}

export class StreamingClassifier {
  readonly network: GradientNetwork;
  readonly #engine: GradientEngine;
  readonly #room: EngineRoom;
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  readonly #lists: readonly SpikeLists[];
  readonly #inputs: number;
  readonly #longestDelay: number;
  /** With delayed inputs a step can meet events with values and without at once: then all have values. */
  readonly #alwaysValued: boolean;
  readonly #firstChannel: number;
  readonly #firstValue: number;
  readonly #firstStart: number;
  readonly #stepLimit: number;
  /** The readout of every step of the page. */
  readonly #rows: readonly Float32Array[];
  readonly #running: RunningReadout;
  readonly #probabilities: Float64Array;
  /** Next step within the page, and events that the page holds. */
  #at = 0;
  #events = 0;

  /** @throws UserError when the values are of another network */
  constructor({ network, values, loss, relaxed }: StreamingSetup) {
    checkValues(network, values);
    this.network = network;
    this.#inputs = network.inputs;
    this.#longestDelay = Math.max(...network.projections.map(({ delaySteps }) => delaySteps));
    this.#alwaysValued = network.projections.some(({ source, delaySteps }) => source === "input" && delaySteps > 0);
    this.#stepLimit = this.#longestDelay + pageSteps;
    const engine = new GradientEngine({ network, relaxed, backward: false });
    this.#engine = engine;
    this.#room = engine.reserve(this.#stepLimit, this.#stepLimit * network.inputs);
    writeValues(network, engine.programs, engine.valueLayout, values, engine.values);

    const { buffer, layout } = this.#room;
    this.#words = new Uint32Array(buffer);
    this.#floats = new Float32Array(buffer);
    this.#firstChannel = layout.channels / 4;
    this.#firstValue = layout.eventValues / 4;
    this.#firstStart = layout.eventStarts / 4;
    const hidden = layout.populations.filter((_, p) => p !== network.readout);
    this.#lists = [
      { entries: layout.channels, starts: layout.eventStarts, values: layout.eventValues },
      ...hidden.map(({ spikes, spikeStarts }) => ({ entries: spikes, starts: spikeStarts, values: null })),
    ];
    for (const { entries, starts } of this.#lists) this.#words[starts / 4] = entries;
    engine.rest();
    const outputs = network.populations[network.readout].size;
    this.#rows = Array.from({ length: this.#stepLimit }, (_, t) => {
      const from = layout.outputs / 4 + t * engine.outputStride;
      return this.#floats.subarray(from, from + outputs);
    });
    this.#running = new RunningReadout(outputs, loss);
    this.#probabilities = new Float64Array(outputs);
  }

  /** Steps since the start or the last `reset`. */
  get steps(): number {
    return this.#running.steps;
  }

  get memoryBytes(): number {
    return this.#engine.memoryBytes;
  }

  /**
   * Advances by one step of `network.dtMs`.
   * @param channels inputs that an event arrives at in this step; the bytes of a whole sample come out if they ascend
   * @param values amplitude of each event; left out or null: all are 1
   * @returns the readout after the step, one number per class: a view that is good until the next call
   * @throws UserError for channels that the network does not have, and for more of them than it has; the step has not
   *   happened then
   */
  step(channels: ArrayLike<number>, values: ArrayLike<number> | null = null): Float32Array {
    const count = channels.length;
    const words = this.#words;
    if (count > this.#inputs) {
      throw new UserError(`a step has ${count} events, but there are ${this.#inputs} channels; give each once`);
    }
    if (this.#at === this.#stepLimit) this.#turnPage();
    const first = this.#firstChannel + this.#events;
    for (let i = 0; i < count; i++) {
      const channel = channels[i];
      // Also true of fractions, negative numbers and NaN.
      if (channel >>> 0 !== channel || channel >= this.#inputs) this.#refuse(channel);
      words[first + i] = channel;
    }
    const valued = values !== null || this.#alwaysValued;
    if (valued) {
      if (values !== null && values.length !== count) {
        throw new UserError(`a step has ${count} channels but ${values.length} values; give one value per channel`);
      }
      const from = this.#firstValue + this.#events;
      for (let i = 0; i < count; i++) this.#floats[from + i] = values === null ? 1 : values[i];
    }
    this.#events += count;
    const t = this.#at++;
    words[this.#firstStart + t + 1] = 4 * (this.#firstChannel + this.#events);
    this.#room.kernels.forward(t, t + 1, t, valued ? inputForm.amplitudes : 0);
    const row = this.#rows[t];
    this.#running.add(row);
    return row;
  }

  /** Probability of each class by the steps so far: a view that the next call overwrites. Equal before any step counts. */
  probabilities(): Float64Array {
    softmax(this.#running.values(), this.#probabilities);
    return this.#probabilities;
  }

  /** The most probable class by the steps so far, the lowest of equals. */
  get predicted(): number {
    return this.#running.largest();
  }

  /** Neurons of a population that spiked in the last step, ascending: a view that is good until the next call. */
  spikes(population: number): Uint32Array {
    if (this.#at === 0 || population === this.network.readout) return new Uint32Array(0);
    const starts = this.#room.layout.populations[population].spikeStarts / 4 + this.#at;
    return this.#words.subarray(this.#words[starts - 1] / 4, this.#words[starts] / 4);
  }

  /** Back to rest, as before the first step. */
  reset(): void {
    this.#engine.rest();
    this.#running.reset();
    this.#at = 0;
    this.#events = 0;
  }

  /** Starts the page again, with the lists of the last steps as its first. */
  #turnPage(): void {
    const words = this.#words;
    const kept = this.#longestDelay;
    for (const { entries, starts, values } of this.#lists) {
      const first = starts / 4 + this.#at - kept;
      const from = words[first] / 4;
      const to = words[first + kept] / 4;
      words.copyWithin(entries / 4, from, to);
      if (values !== null) words.copyWithin(values / 4, from + (values - entries) / 4, to + (values - entries) / 4);
      for (let t = 0; t <= kept; t++) words[starts / 4 + t] = words[first + t] - 4 * from + entries;
    }
    this.#at = kept;
    this.#events = words[this.#firstStart + kept] / 4 - this.#firstChannel;
  }

  #refuse(channel: number): never {
    throw new UserError(`an event is at channel ${channel}; the network has channels 0 to ${this.#inputs - 1}`);
  }
}

function checkValues(network: GradientNetwork, values: NetworkValues<ArrayLike<number>>): void {
  const check = (what: string, given: number | undefined, needed: number): void => {
    if (given === needed) return;
    throw new UserError(
      `there are ${given ?? "no"} values for ${what}, but the network needs ${needed}; they are of another network`,
    );
  };
  for (const [k, projection] of network.projections.entries()) {
    check(`the weights of "${projection.name}"`, values.weights[k]?.length, synapseCount(network, projection));
  }
  for (const [p, { name, bias, size, trainable }] of network.populations.entries()) {
    if (bias) check(`the bias of "${name}"`, values.bias[p]?.length, size);
    for (const parameter of trainable)
      check(`${parameter} of "${name}"`, values.constants[p]?.[parameter]?.length, size);
  }
}
