/**
 * What a training has come to, for people to look at: figures of the last epoch and of the best, confusion, rates,
 * constants and weights before and after, and some trials with everything that happened in them.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import { GradientMember } from "../../learning/gradient/member.ts";
import { type PopulationSpec, synapseCount } from "../../learning/gradient/spec.ts";
import type { GradientTrainer, LearnedState } from "../../learning/gradient/trainer.ts";
import type { TrainingSpec } from "../../learning/gradient/training-spec.ts";
import { makeLoss } from "../../learning/losses/loss.ts";
import type { SampleReader } from "./data.ts";
import type { EpochReport } from "./epoch-sums.ts";
import { type Evaluation, evaluate, type Figures, type Scoring } from "./evaluate.ts";

export interface SetFigures extends Figures {
  readonly samples: number;
}

/** On samples that were changed in one way. */
export interface DisturbedFigures extends SetFigures {
  /** As the experiment calls the change. */
  readonly name: string;
}

export interface TestedEpoch {
  readonly epoch: number;
  readonly train: SetFigures | null;
  readonly validation: SetFigures | null;
  readonly test: SetFigures | null;
  /** The test on changed samples. Absent: none was asked for. */
  readonly disturbed?: readonly DisturbedFigures[];
}

/** Samples counted by their class and the one predicted, `[true class * classes + predicted class]`. */
export interface Confusion {
  readonly counts: Uint32Array;
  readonly epoch: number;
}

/** A constant of a layer. */
export interface LearnedConstants {
  readonly layer: string;
  readonly name: string;
  /** "ms"; "" for a pure number. */
  readonly unit: string;
  /** One per neuron; of a layer with places, one per filter. */
  readonly values: Float32Array;
}

export interface LearnedWeights {
  readonly name: string;
  /** In all; `values` may be a sample of them. */
  readonly synapses: number;
  readonly values: Float32Array;
}

/** What was learned, and how it makes the neurons fire. */
export interface Learned {
  /** By population that spikes: rate of every neuron, Hz. */
  readonly ratesHz: readonly Float32Array[];
  /** Those that are trained. */
  readonly constants: readonly LearnedConstants[];
  /** Those that differ between neurons and stay as they are. Absent in runs of earlier versions. */
  readonly fixed?: readonly LearnedConstants[];
  readonly weights: readonly LearnedWeights[];
}

/** One sample from input to prediction. */
export interface ExampleTrial {
  readonly set: "training" | "validation" | "test";
  readonly sample: number;
  readonly dtMs: number;
  readonly steps: number;
  readonly input: StepEvents;
  /** By population that spikes: spikes of step t are `neurons[starts[t]]` to `neurons[starts[t + 1] - 1]`. */
  readonly spikes: readonly { readonly neurons: Uint32Array; readonly starts: Uint32Array }[];
  /** By step: distance of the membrane to the threshold. */
  readonly membranes: readonly { readonly layer: number; readonly neuron: number; readonly margin: Float32Array }[];
  /** `[step * outputs + output]` */
  readonly readout: Float32Array;
  readonly target: Float32Array | null;
  readonly label: number | null;
  readonly prediction: number | null;
  readonly probabilities: Float64Array | null;
}

/** `outcome.json` */
export interface Outcome {
  readonly last: TestedEpoch;
  /** Best by validation; null where nothing is held out. */
  readonly best: TestedEpoch | null;
  readonly confusion: { readonly validation: Confusion | null; readonly test: Confusion | null };
  readonly after: Learned;
  readonly trials: readonly ExampleTrial[];
}

/** Weights that are kept of a projection, at most. */
const keptWeights = 50_000;

/** @param samples samples to measure rates by; null: none are measured */
export async function describeLearned(
  trainer: GradientTrainer,
  reader: SampleReader,
  scoring: Scoring,
): Promise<Learned> {
  const { network } = trainer;
  const { weights, constants } = trainer.values();
  const few = { ...reader.samples, indices: reader.samples.indices.subarray(0, 64) };
  const measured = await evaluate(trainer, reader.of(few), scoring);
  return {
    ratesHz: measured?.ratesHz ?? [],
    constants: constants.flatMap((ofPopulation, p) =>
      Object.entries(ofPopulation).map(([name, values]) => described(network.populations[p], name, values)),
    ),
    fixed: network.populations.flatMap((population) =>
      Object.entries(population.model.parameters).flatMap(([name, values]) =>
        typeof values === "number" || population.trainable.includes(name) ? [] : [described(population, name, values)],
      ),
    ),
    weights: network.projections.flatMap((projection, k) =>
      projection.trained
        ? [
            {
              name: projection.name,
              synapses: synapseCount(network, projection),
              values: sampleOf(weights[k], keptWeights),
            },
          ]
        : [],
    ),
  };
}

function described(
  { name: layer, size, filters, model }: PopulationSpec,
  name: string,
  values: ArrayLike<number>,
): LearnedConstants {
  const { unit } = model.model.parameters[name];
  return {
    layer,
    name,
    unit: unit === "1" ? "" : unit,
    values: Float32Array.from({ length: filters ?? size }, (_, i) => values[i]),
  };
}

/** Evenly spaced, so that the same synapses are seen before and after. */
function sampleOf(values: Float32Array, count: number): Float32Array {
  if (values.length <= count) return values;
  return Float32Array.from({ length: count }, (_, i) => values[Math.floor((i * values.length) / count)]);
}

const figuresOf = ({ loss, accuracy, normalisedError, samples }: Evaluation): SetFigures => ({
  loss,
  accuracy,
  normalisedError,
  samples,
});

export interface OutcomeRequest {
  readonly trainer: GradientTrainer;
  readonly spec: TrainingSpec;
  readonly scoring: Scoring;
  readonly training: SampleReader;
  readonly validation: SampleReader | null;
  readonly test: SampleReader | null;
  /** The test samples, changed in one way each. */
  readonly disturbed: readonly { readonly name: string; readonly reader: SampleReader }[];
  readonly epochs: readonly EpochReport[];
  /** Epochs completed, and the best of them. */
  readonly epoch: number;
  readonly best: { readonly epoch: number; readonly parameters: LearnedState } | null;
  readonly exampleTrials: number;
  shouldStop(): boolean;
  onProgress?(done: number, total: number): void;
}

/** Tests the weights as they are, then the best, and leaves the trainer as it was. Null when stopped. */
export async function describeOutcome(request: OutcomeRequest): Promise<Outcome | null> {
  const { trainer, scoring, validation, test, epochs, epoch, best } = request;
  const run = (reader: SampleReader | null) =>
    reader === null ? undefined : evaluate(trainer, reader, scoring, request.shouldStop, request.onProgress);
  const reportOf = (wanted: number) => epochs.find((report) => report.epoch === wanted);
  const trainOf = (wanted: number): SetFigures | null => {
    const report = reportOf(wanted);
    return report === undefined ? null : { ...report.train, samples: report.samples };
  };
  const runDisturbed = async (): Promise<Pick<TestedEpoch, "disturbed"> | null> => {
    const disturbed: DisturbedFigures[] = [];
    for (const { name, reader } of request.disturbed) {
      const figures = await run(reader);
      if (figures == null) return null;
      disturbed.push({ name, ...figuresOf(figures) });
    }
    return disturbed.length === 0 ? {} : { disturbed };
  };
  const runTest = async () => {
    const figures = await run(test);
    const changed = await runDisturbed();
    return figures === null || changed === null ? null : { figures, changed };
  };
  const tested = await runTest();
  const validated = await run(validation);
  if (tested === null || validated === null) return null;
  const last: TestedEpoch = {
    epoch,
    train: trainOf(epoch),
    validation: validated === undefined ? null : figuresOf(validated),
    test: tested.figures === undefined ? null : figuresOf(tested.figures),
    ...tested.changed,
  };
  const shown = test ?? validation ?? request.training;
  const set = test !== null ? "test" : validation !== null ? "validation" : "training";
  const after = await describeLearned(trainer, validation ?? request.training, scoring);
  const trials = await recordTrials(trainer, request.spec, shown, set, request.exampleTrials);

  let bestTested: TestedEpoch | null = null;
  if (best !== null) {
    const ofBest = best.epoch === epoch ? tested : await testBest(trainer, best.parameters, runTest);
    if (ofBest === null) return null;
    const report = reportOf(best.epoch);
    bestTested = {
      epoch: best.epoch,
      train: trainOf(best.epoch),
      validation:
        report?.validation == null || validation === null
          ? null
          : { ...report.validation, samples: validation.samples.indices.length },
      test: ofBest.figures === undefined ? null : figuresOf(ofBest.figures),
      ...ofBest.changed,
    };
  }
  const confusion = (evaluation: Evaluation | undefined): Confusion | null =>
    evaluation?.confusion == null ? null : { counts: evaluation.confusion, epoch };
  return {
    last,
    best: bestTested,
    confusion: { validation: confusion(validated), test: confusion(tested.figures) },
    after,
    trials,
  };
}

async function testBest<Result>(
  trainer: GradientTrainer,
  best: LearnedState,
  run: () => Result,
): Promise<Awaited<Result>> {
  const { parameters, feedback, synapses } = trainer.state();
  await trainer.restoreParameters(best);
  try {
    return await run();
  } finally {
    await trainer.restoreParameters({ parameters, feedback, synapses });
  }
}

/** Neurons of a layer whose membranes are kept. */
const keptMembranes = 3;

/** Samples of as many classes as there is room for, each run once more in this thread and kept with all its spikes. */
async function recordTrials(
  trainer: GradientTrainer,
  spec: TrainingSpec,
  reader: SampleReader,
  set: ExampleTrial["set"],
  count: number,
): Promise<ExampleTrial[]> {
  if (count === 0) return [];
  const { network } = trainer;
  const outputs = network.populations[network.readout].size;
  const loss = makeLoss(spec.loss, outputs);
  // Membranes are shown as they were, not as the tape of a training rounds them.
  const member = await GradientMember.create({ ...spec, tape: "float32" });
  member.engine.values.set(trainer.parameters.block);
  const { indices, set: samples } = reader.samples;
  const chosen = chooseSamples(indices, samples.labels, count);
  const prepared = await reader.prepare(0, chosen);
  return prepared.map(({ events, target }, i) => {
    const readout = member.outputs(events);
    const spiking = network.populations.flatMap((_, p) => (p === network.readout ? [] : [p]));
    const spikes = spiking.map((p) => {
      const { neurons, starts } = member.engine.spikes(p);
      return { neurons: neurons.slice(), starts: starts.slice() };
    });
    const hasClass = "label" in target;
    const { predicted, probabilities } = loss.predict(readout, events.steps);
    return {
      set,
      sample: chosen[i],
      dtMs: spec.dtMs,
      steps: events.steps,
      input: events,
      spikes,
      membranes: spiking.flatMap((p, layer) => {
        const margins = member.engine.margins(p);
        const { size } = network.populations[p];
        if (margins === null) return [];
        return typicalNeurons(spikes[layer].neurons, size).map((neuron) => {
          const row = margins.length / events.steps;
          return {
            layer,
            neuron,
            margin: Float32Array.from({ length: events.steps }, (_, t) => margins[t * row + neuron]),
          };
        });
      }),
      readout,
      target: hasClass ? null : Float32Array.from(target.trace as ArrayLike<number>),
      label: hasClass ? target.label : null,
      prediction: hasClass ? predicted : null,
      probabilities: hasClass ? probabilities.slice() : null,
    };
  });
}

/** The first sample of each class in turn, then the second of each. */
function chooseSamples(indices: Uint32Array, labels: Uint32Array, count: number): number[] {
  const seen = new Map<number, number>();
  const ranked = Array.from(indices, (index) => {
    const turn = seen.get(labels[index]) ?? 0;
    seen.set(labels[index], turn + 1);
    return { index, turn, label: labels[index] };
  });
  ranked.sort((a, b) => a.turn - b.turn || a.label - b.label);
  return ranked.slice(0, count).map(({ index }) => index);
}

/** The neuron that fires most, and one in the middle and one near the end of the order by spikes. */
function typicalNeurons(spikes: Uint32Array, size: number): number[] {
  const counts = new Uint32Array(size);
  for (const neuron of spikes) counts[neuron]++;
  const order = Array.from(counts.keys()).sort((a, b) => counts[b] - counts[a] || a - b);
  const places = [0, Math.floor(size / 4), Math.floor(size / 2)].slice(0, keptMembranes);
  return [...new Set(places.map((place) => order[place]))];
}
