/**
 * Everything the report of a run by gradients shows: of a classifier, or of a network that follows traces. All of it is
 * plain data; nothing is read from disk or clock. A number that does not exist is NaN or null, and is left out.
 */
import type { StepEvents } from "../../data/labelled-set.ts";
import type { MeasuredGroup } from "../../data/measured-constants.ts";
import type { InitialReport } from "../initialisation/start.ts";

export interface ClassificationReportInput {
  readonly title: string;
  /** The resolved experiment, shown as JSON. */
  readonly experiment: unknown;
  /**
   * Version of Volley, Node, CPU, threads, seed, date ...: shown as a table in this order. A value named `command` is
   * shown as the command line that reproduces the run; `version` and `threads` help to write one when it is absent.
   */
  readonly environment: Readonly<Record<string, string | number>>;
  readonly network: NetworkSummary;
  /** Names of the classes, label 0 first. Empty when the network follows traces: what needs classes is then left out. */
  readonly classNames: readonly string[];
  /** One after the other, from epoch 1. */
  readonly epochs: readonly EpochMetrics[];
  /** Test accuracies of others, 0 to 1, to be shown beside ours. Absent: none. */
  readonly references?: readonly { readonly what: string; readonly accuracy: number; readonly sd?: number }[];
  /** With frozen weights; null when nothing was tested. */
  readonly final: FinalFigures | null;
  readonly confusion: {
    readonly validation: ConfusionMatrix | null;
    readonly test: ConfusionMatrix | null;
  };
  /** A handful. */
  readonly trials: readonly ExampleTrial[];
  /** By layer of `network.layers`: mean rate of every neuron over the samples of a test, Hz. */
  readonly rates: readonly BeforeAfter[];
  /** Trained constants: time constants, thresholds, ... */
  readonly parameters: readonly TrainedParameter[];
  /** Constants that differ between neurons and were not trained. Absent: none. */
  readonly fixed?: readonly FixedParameter[];
  /** Time constants measured in neurons, to be compared with trained ones. Absent: none were given. */
  readonly measured?: { readonly source: string; readonly groups: readonly MeasuredGroup[] };
  /** What the network did before training. Absent: it was not looked at. */
  readonly initial?: InitialReport;
  /** By projection; of many synapses a sample. */
  readonly weights: readonly TrainedWeights[];
  /** What the health checks said, in plain sentences, in the order of the epochs. */
  readonly health: readonly HealthMessage[];
  /** Guesses and choices the reader should know of, in plain sentences. */
  readonly notes: readonly string[];
  readonly timings: Timings;
}

/** The network and how it learns, in words and sizes. */
export interface NetworkSummary {
  /** "BPTT", "e-prop (symmetric feedback)": as it should be read. */
  readonly rule: string;
  readonly dtMs: number;
  /** Channels of the samples. */
  readonly inputs: number;
  /** Populations that spike, in the order of computation. */
  readonly layers: readonly LayerSummary[];
  readonly readout: { readonly size: number; readonly model: string };
  /** Weights, biases and constants that are learned. */
  readonly trainedNumbers: number;
}

export interface LayerSummary {
  readonly name: string;
  readonly size: number;
  readonly model: string;
}

/** Means over samples. */
export interface Figures {
  readonly loss: number;
  /** Share of samples whose class was predicted; null without classes. */
  readonly accuracy: number | null;
  /**
   * Squared errors over the squared deviations of the target from its mean: 0 perfect, 1 as good as a constant; null
   * with classes.
   */
  readonly normalisedError: number | null;
}

export interface EpochMetrics {
  /** From 1. */
  readonly epoch: number;
  /** While learning. */
  readonly train: Figures;
  /** Of the weights at the end of the epoch; null without validation samples, or when not measured in this epoch. */
  readonly validation: Figures | null;
  /** Of the last batch. */
  readonly learningRate: number;
  /** Norm of the gradient of all parameters before clipping, mean over batches. */
  readonly gradientNorm: number;
  /** The same by group of parameters: `input`, `recurrent`, `hidden.tauMemMs`. */
  readonly gradientNorms: Readonly<Record<string, number>>;
  /** By layer, over the training samples of the epoch. */
  readonly layers: readonly LayerActivity[];
  /** Wall time, validation included. */
  readonly seconds: number;
}

export interface LayerActivity {
  readonly rateHz: number;
  /** Share of neurons without a spike. */
  readonly silentShare: number;
  /** Share of neurons that spike at more than half of the steps at which they could. */
  readonly saturatedShare: number;
  /**
   * Share of neurons and steps where the surrogate derivative is not 0, or within 0.5 of the threshold where it is that
   * nowhere; null when not measured.
   */
  readonly supportShare: number | null;
}

export interface FinalFigures {
  /** Of the epoch that is best by validation; null without validation. */
  readonly best: TestedEpoch | null;
  readonly last: TestedEpoch;
}

export interface TestedEpoch {
  readonly epoch: number;
  readonly train: SetFigures | null;
  readonly validation: SetFigures | null;
  readonly test: SetFigures | null;
  /** The test on samples that were changed, each in one way. Absent: none was asked for. */
  readonly disturbed?: readonly (SetFigures & { readonly name: string })[];
}

export interface SetFigures extends Figures {
  readonly samples: number;
}

/** Samples counted by their class and the one predicted. */
export interface ConfusionMatrix {
  /** `[true class * classes + predicted class]` */
  readonly counts: ArrayLike<number>;
  /** Of which epoch the weights are. */
  readonly epoch: number;
}

/** One sample from input to prediction. Times of all its parts are steps of `dtMs`. */
export interface ExampleTrial {
  /** Which samples it is of. */
  readonly set: "training" | "validation" | "test";
  /** Its index there. */
  readonly sample: number;
  readonly dtMs: number;
  readonly steps: number;
  /** As the network took it; `values` are amplitudes, null where all are 1. */
  readonly input: StepEvents;
  /** By layer of `network.layers`. */
  readonly spikes: readonly LayerSpikes[];
  readonly membranes: readonly MembraneTrace[];
  /** First state of the readout, `[step * outputs + output]`. */
  readonly readout: Float32Array;
  /** What it should have been, laid out as `readout`; null with classes. */
  readonly target: Float32Array | null;
  /** Its class; null without classes. */
  readonly label: number | null;
  /** The predicted class; null without classes. */
  readonly prediction: number | null;
  /** Of the classes; null without classes. */
  readonly probabilities: ArrayLike<number> | null;
}

/** Spikes of step t are `neurons[starts[t]]` to `neurons[starts[t + 1] - 1]`. */
export interface LayerSpikes {
  readonly neurons: Uint32Array;
  /** Length steps + 1. */
  readonly starts: Uint32Array;
}

export interface MembraneTrace {
  /** Index into `network.layers`. */
  readonly layer: number;
  readonly neuron: number;
  /**
   * By step: membrane potential minus threshold, in units of the model, before a reset. The neuron spikes where it is 0
   * or more, unless it is refractory.
   */
  readonly margin: Float32Array;
}

export interface BeforeAfter {
  /** Null when not measured. */
  readonly before: Float32Array | null;
  readonly after: Float32Array;
}

export interface TrainedParameter {
  /** Name of its layer. */
  readonly layer: string;
  /** As the model names it: `tauMemMs`. */
  readonly name: string;
  /** "ms"; "" for a pure number. */
  readonly unit: string;
  /** One value per neuron, or a single one that all share. */
  readonly before: Float32Array;
  readonly after: Float32Array;
}

export interface FixedParameter {
  readonly layer: string;
  readonly name: string;
  /** As of `TrainedParameter`. */
  readonly unit: string;
  /** From a distribution, or as a list or file. */
  readonly origin: "drawn" | "given";
  /** One value per neuron. */
  readonly values: Float32Array;
}

export interface TrainedWeights {
  /** Of the projection. */
  readonly name: string;
  /** All of them; `before` and `after` may be a sample, the same synapses in both. */
  readonly synapses: number;
  readonly before: Float32Array;
  readonly after: Float32Array;
}

export interface HealthMessage {
  /** After which epoch it was said. */
  readonly epoch: number;
  readonly message: string;
}

export interface Timings {
  readonly secondsTotal: number;
  /** Wall time by what it was spent on, not overlapping; what is missing from the total is shown as the rest. */
  readonly parts: readonly { readonly name: string; readonly seconds: number }[];
  /** Largest memory of the process, bytes; null when not known. */
  readonly peakBytes: number | null;
}
