/** What the library offers in Node and in a page alike; `createTrainer` and `createClassifier` come from index.ts or index.web.ts. */
export { type ExitCode, exitCode, UserError } from "./base/errors.ts";
export type { EncoderDescription } from "./data/encoding/make-encoder.ts";
export { type ReadRecordingOptions, readRecording } from "./data/formats/read-recording.ts";
export { openLabelledSet } from "./data/labelled/open-labelled-set.ts";
export type { Frames, LabelledSet, Sample, SpikeTrains, StepEvents } from "./data/labelled-set.ts";
export type { Recording } from "./data/recording.ts";
export type { Classifier, ClassifierInput, CreateClassifierOptions } from "./experiment/classify/create-classifier.ts";
export type { EpochReport } from "./experiment/classify/epoch-sums.ts";
export type { Evaluation, Figures } from "./experiment/classify/evaluate.ts";
export type { ClassifyExperiment } from "./experiment/classify/schema.ts";
export type { CreateTrainerOptions, Trainer } from "./experiment/create-trainer.ts";
export type { Experiment, ExperimentInput } from "./experiment/schema.ts";
export * as expression from "./expression/index.ts";
export {
  type CheckedArray,
  type CheckOptions,
  checkGradients,
  type GradientCheck,
} from "./learning/gradient/check-gradients.ts";
export type {
  GradientNetwork,
  NetworkValues,
  PopulationSpec,
  ProjectionSpec,
  SourceRange,
  SparseRows,
} from "./learning/gradient/spec.ts";
export { StreamingClassifier } from "./learning/gradient/stream.ts";
export {
  type Chunk,
  type LearningSignals,
  StreamingEprop,
  type StreamingOptions,
} from "./learning/gradient/streaming-eprop.ts";
export type { InitialWeights } from "./learning/initialisation/descriptions.ts";
export type { LayerStart, StartReport } from "./learning/initialisation/report.ts";
export type { ExampleNeuron, IterationReport, PHealth, TestReport, TimeSplit } from "./learning/rls/results.ts";
export type { RlsSpec } from "./learning/rls/spec.ts";
export {
  type AllenGlifConfig,
  builtInModels,
  defineModel,
  describeModel,
  fromAllen,
  fromPhysical,
  loadModel,
  type Model,
  type ModelChoice,
  type ModelDefinition,
  ModelStepper,
  type PhysicalGlif,
  type ResolvedModel,
  readoutModels,
  resolveModel,
} from "./model/index.ts";
export type { SharedRows } from "./network/shared-rows.ts";
