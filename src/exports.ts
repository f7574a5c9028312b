/** What the library offers in Node and in a page alike; `createTrainer` comes from index.ts or index.web.ts. */
export { type ExitCode, exitCode, UserError } from "./base/errors.ts";
export { type ReadRecordingOptions, readRecording } from "./data/formats/read-recording.ts";
export type { Recording } from "./data/recording.ts";
export type { CreateTrainerOptions, Trainer } from "./experiment/create-trainer.ts";
export type { Experiment, ExperimentInput } from "./experiment/schema.ts";
export * as expression from "./expression/index.ts";
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
  resolveModel,
} from "./model/index.ts";
