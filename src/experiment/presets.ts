/** Experiments that come with Volley, by name. Each is plain data that an experiment file could hold. */
import { fileURLToPath } from "node:url";
import { classifyPresets } from "./classify/presets.ts";
import type { AnyInput } from "./kind.ts";
import type { ExperimentInput } from "./schema.ts";

export interface Preset<Input = AnyInput> {
  /** One line for `volley train --help`. */
  readonly about: string;
  readonly experiment: Input;
}

/** A file that is shipped in `examples/`, found from `src/` and from `dist/` alike (both lie two folders deep). */
export function bundledFile(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
}

/** The network of the real recording: noise instead of static connections (docs/method.md). */
function alm(): ExperimentInput {
  return {
    targets: {
      type: "recording",
      file: bundledFile("data/alm.h5"),
      quantity: "rateHz",
      datasets: ["rate_left", "rate_right"],
    },
    static: null,
    noise: { model: "voltage", sigma: 0.65 },
    plastic: { inputsPerType: 64 },
    // Slow plastic currents and a small penalty were chosen on half of the neurons: docs/benchmarks.md.
    synapses: { tauPlasticMs: 500 },
    learning: { lambda: 0.004, mu: 0 },
  };
}

/** Networks that follow recordings. */
export const presets: Readonly<Record<string, Preset<ExperimentInput>>> = {
  alm: {
    about: "1216 neurons of mouse motor cortex, lick left and lick right; about a minute on 2 cores",
    experiment: { ...alm(), name: "alm", iterations: 190, test: { trials: 50 } },
  },
  "alm-large": {
    about: "the same recording with four model neurons per recorded one; about ten minutes",
    experiment: {
      ...alm(),
      name: "alm-large",
      copies: 4,
      learning: { lambda: 0.004, mu: 0, block: 10 },
      iterations: 450,
      test: { trials: 50 },
    },
  },
  sinusoids: {
    about: "4096 excitatory and inhibitory neurons, each taught a sine wave of its own phase",
    experiment: { name: "sinusoids", neurons: 4096, iterations: 100 },
  },
  million: {
    about: "a million neurons, 1024 static and 90 plastic synapses each, one iteration; needs some 15 GB",
    experiment: {
      name: "million",
      neurons: 1_000_000,
      static: { K: 512 },
      plastic: { inputsPerType: 45 },
      learning: { precision: "int16" },
      iterations: 1,
      checkpoint: { withP: false },
      test: { trials: 0 },
    },
  },
};

export const allPresets: Readonly<Record<string, Preset>> = { ...presets, ...classifyPresets(bundledFile) };
