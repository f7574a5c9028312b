/**
 * The data of an experiment: opened or generated, cut into what is trained on, what is chosen by and what is tested, and
 * reduced to what the network must know of it.
 *
 * The test set is opened when it is asked for, which is after training: nothing before can depend on it.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import type { Encoder } from "../../data/encoding/encoder.ts";
import { evidenceAccumulation } from "../../data/encoding/generators/evidence-accumulation.ts";
import { patternGeneration } from "../../data/encoding/generators/pattern-generation.ts";
import { randman } from "../../data/encoding/generators/randman.ts";
import { shdLike } from "../../data/encoding/generators/shd-like.ts";
import { type AugmentationPlan, makeAugmentation } from "../../data/encoding/make-augmentation.ts";
import { SamplePreparation } from "../../data/encoding/prepare-samples.ts";
import { holdOut } from "../../data/encoding/splits.ts";
import type { NwbTrialOptions } from "../../data/labelled/options.ts";
import type { Frames, LabelledSet } from "../../data/labelled-set.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import type { Target } from "../../learning/losses/row-loss.ts";
import type { ClassifyExperiment, DataSource, GeneratedSource } from "./schema.ts";

/** What a reader is told of a file, besides where it is. */
export interface OpenSetOptions {
  readonly classNames?: readonly string[];
  readonly channels?: number;
  readonly labelsFile?: string;
  readonly sensor?: { readonly width: number; readonly height: number };
  readonly trials?: NwbTrialOptions;
}

/** How a platform opens the file or address that an experiment names. */
export type OpenSet = (path: string, options: OpenSetOptions) => Promise<LabelledSet>;

/** Some samples of a set, and what the readout should make of each. */
export interface Samples {
  readonly set: LabelledSet;
  readonly indices: Uint32Array;
  target(index: number): Target;
}

export interface TrainingData {
  readonly training: Samples;
  /** Null where nothing is held out. */
  readonly validation: Samples | null;
  readonly classNames: readonly string[];
  /** Curves that the readout should follow, one frame per ms; null with classes. */
  readonly traces: Frames | null;
  readonly outputs: number;
  /** Guesses and choices that a person should see. */
  readonly notes: readonly string[];
  /** Opens the test samples of the experiment; null where there are none. */
  openTest(): Promise<Samples | null>;
  close(): void;
}

interface Opened {
  readonly set: LabelledSet;
  readonly traces: Frames | null;
  readonly outputs: number;
}

function generate(source: GeneratedSource, seed: number): Opened {
  const made = (set: LabelledSet): Opened => ({ set, traces: null, outputs: set.classNames.length });
  switch (source.generate) {
    case "randman":
      return made(randman({ seed, ...source }));
    case "shdLike":
      return made(shdLike({ seed, ...source }));
    case "evidence":
      return made(evidenceAccumulation({ seed, ...source }));
    case "pattern": {
      const { inputs, target, outputs } = patternGeneration({ seed, ...source });
      return { set: inputs, traces: target, outputs };
    }
  }
}

/** Seeds of the trials that are tested, so that they are others than those trained on. */
const testSeedOffset = 1_000_003;

function openSource(
  { seed, data: { reading } }: ClassifyExperiment,
  source: DataSource,
  open: OpenSet,
  trained: Opened | null,
): Promise<Opened> | Opened {
  if (typeof source === "string") {
    const { labels, testLabels, shape, ...options } = reading;
    const labelsFile = trained === null ? labels : testLabels;
    return open(source, {
      ...options,
      ...(labelsFile === undefined ? {} : { labelsFile }),
      // A test set may lack a class or a channel: it is read as what the network was trained on.
      ...(trained === null ? {} : likeTrained(trained.set)),
    }).then((set) => ({ set: inSpace(set, shape), traces: null, outputs: set.classNames.length }));
  }
  if (trained === null) return generate(source, seed);
  if (source.seed === undefined && source.generate !== "evidence") {
    throw new UserError(
      `data.test generates "${source.generate}" with a seed of its own, which would be another task; ` +
        'hold samples of the training set out instead: {"holdOut": {"type": "fraction"}}',
    );
  }
  return generate(source, (seed + testSeedOffset) % 2 ** 53);
}

/** The set with the shape that the experiment says it has. */
function inSpace(set: LabelledSet, shape: readonly number[] | undefined): LabelledSet {
  if (shape === undefined) return set;
  const places = shape.reduce((product, extent) => product * extent, 1);
  const { channels, frames } = set;
  if (places !== channels && places !== channels * (frames ?? 1)) {
    const numbers = frames === undefined ? `${channels} channels` : `${frames} frames of ${channels} numbers`;
    set.close();
    throw new UserError(
      `data.reading.shape is [${shape.join(", ")}], which are ${places} places, but ${set.name} has ${numbers}`,
      exitCode.data,
    );
  }
  return { ...set, shape };
}

/** How another file is read so that it fits what was trained on. */
export function likeTrained({ kind, classNames, channels }: Pick<LabelledSet, "kind" | "classNames" | "channels">) {
  return kind === "spikes" ? { classNames, channels } : { classNames };
}

function targetOf(set: LabelledSet, traces: Frames | null, dtMs: number, outputs: number) {
  if (traces === null) return (index: number): Target => ({ label: set.labels[index] });
  const steps = Math.ceil(traces.frames / dtMs);
  const trace = new Float32Array(steps * outputs);
  for (let t = 0; t < steps; t++) {
    const frame = Math.min(traces.frames - 1, Math.floor(t * dtMs));
    trace.set(traces.values.subarray(frame * outputs, (frame + 1) * outputs), t * outputs);
  }
  return (): Target => ({ trace });
}

/** Opens the training data of an experiment and splits it. @throws UserError for files and splits that cannot be */
export async function openTrainingData(experiment: ClassifyExperiment, open: OpenSet): Promise<TrainingData> {
  const { data, network, seed } = experiment;
  const opened = await openSource(experiment, data.train, open, null);
  const { set, traces, outputs } = opened;
  try {
    const target = targetOf(set, traces, network.dtMs, outputs);
    const limit = Math.min(set.size, data.limit ?? set.size);
    let among = Uint32Array.from({ length: limit }, (_, i) => i);
    let tested: Uint32Array | null = null;
    if (typeof data.test === "object" && data.test !== null && "holdOut" in data.test) {
      const split = holdOut(data.test.holdOut, set, { seed, among });
      [among, tested] = [split.training as Uint32Array<ArrayBuffer>, split.heldOut];
    }
    const split =
      data.validation === null
        ? { training: among, heldOut: new Uint32Array(0) }
        : holdOut(data.validation, set, { seed, among });
    const others: LabelledSet[] = [];
    return {
      training: { set, indices: split.training, target },
      validation: split.heldOut.length === 0 ? null : { set, indices: split.heldOut, target },
      classNames: traces === null ? set.classNames : [],
      traces,
      outputs,
      notes: set.notes,
      async openTest() {
        if (tested !== null) return { set, indices: tested, target };
        if (data.test === null || (typeof data.test === "object" && "holdOut" in data.test)) return null;
        const test = await openSource(experiment, data.test, open, opened);
        others.push(test.set);
        return samplesOf(test.set, set, network.dtMs, test.traces, outputs);
      },
      close() {
        for (const one of [set, ...others]) one.close();
      },
    };
  } catch (error) {
    set.close();
    throw error;
  }
}

export function samplesOf(
  test: LabelledSet,
  trained: Pick<LabelledSet, "kind" | "classNames" | "channels" | "frames">,
  dtMs: number,
  traces: Frames | null,
  outputs: number,
): Samples {
  checkFits(test, trained);
  return {
    set: test,
    indices: Uint32Array.from({ length: test.size }, (_, i) => i),
    target: targetOf(test, traces, dtMs, outputs),
  };
}

/** @throws UserError where a network trained on one set cannot be given the samples of another */
export function checkFits(
  given: Pick<LabelledSet, "name" | "kind" | "classNames" | "channels">,
  trained: Pick<LabelledSet, "kind" | "classNames" | "channels">,
): void {
  const refuse = (what: string): never => {
    throw new UserError(`${given.name} ${what}`, exitCode.data);
  };
  const words = { spikes: "spikes", frames: "frames of numbers" };
  if (given.kind !== trained.kind) {
    refuse(`holds ${words[given.kind]}, but the network was trained on ${words[trained.kind]}`);
  }
  if (given.channels !== trained.channels) {
    refuse(`has ${given.channels} channels, but the network was trained on ${trained.channels}`);
  }
  const unknown = given.classNames.find((name, label) => name !== trained.classNames[label]);
  if (unknown !== undefined) {
    refuse(`has the class "${unknown}", where the network was trained on ${trained.classNames.join(", ")}`);
  }
}

/** Samples from their indices to what the engine takes. */
export class SampleReader {
  readonly samples: Samples;
  readonly #preparation: SamplePreparation;
  readonly #of: (samples: Samples) => SampleReader;

  constructor(samples: Samples, encoder: Encoder, seed: number, augmentation?: AugmentationPlan) {
    this.samples = samples;
    this.#of = (others) => new SampleReader(others, encoder, seed);
    this.#preparation = new SamplePreparation({
      set: samples.set,
      encoder,
      seed,
      ...(augmentation === undefined ? {} : { augmentation, partners: samples.indices }),
    });
  }

  /** A reader of other samples in the same way, but as they were recorded. */
  of(samples: Samples): SampleReader {
    return this.#of(samples);
  }

  /** @param epoch 0 for samples that are only looked at, from 1 while training */
  async prepare(epoch: number, indices: ArrayLike<number>): Promise<LabelledEvents[]> {
    const events = await this.#preparation.prepare(epoch, indices);
    return events.map((one, i) => ({ events: one, target: this.samples.target(indices[i]) }));
  }
}

/** Reader of training samples: augmented as the experiment says. */
export function trainingReader({ data, seed }: ClassifyExperiment, samples: Samples, encoder: Encoder): SampleReader {
  const plan = data.augmentation.length === 0 ? undefined : makeAugmentation(data.augmentation, samples.set);
  return new SampleReader(samples, encoder, seed, plan);
}
