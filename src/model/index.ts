/** Neuron models: define, choose, split for kernels, step in float64, document. */
export * from "./allen.ts";
export { builtInModels, readoutModels } from "./built-in.ts";
export * from "./define.ts";
export * from "./describe.ts";
export * from "./hoist.ts";
export * from "./load.ts";
export * from "./resolve.ts";
export * from "./stepper.ts";
