/** Classifiers that come with Volley, by name. Each is plain data that an experiment file could hold. */
import type { ClassifyInput } from "./schema.ts";

interface ClassifyPreset {
  /** One line for `volley train --help`. */
  readonly about: string;
  readonly experiment: ClassifyInput;
}

/** Neurons and settings of Knight & Nowotny (NICE 2022), as far as they are the same for all of its data. */
const knight = {
  model: {
    type: "GennALIF",
    parameters: { tauMemMs: 20, tauAdaptMs: 2000, threshold: 0.6, beta: 0.0174, refractoryMs: 5 },
  },
  initial: { type: "normal" },
  recurrentInitial: { type: "normal" },
  // gamma 0.3 over the threshold 0.6, support one threshold wide
  surrogate: { type: "triangle", height: 0.5, width: 0.6 },
} as const;

const knightLearning: ClassifyInput["learning"] = {
  rule: "eprop",
  loss: { type: "crossEntropy", readout: "perStep", prediction: "sum" },
  regularise: [{ type: "filteredRate", strength: 1e-3, targetHz: 10, tauMs: 500 }],
  optimiser: { type: "adam", rate: 1e-3 },
  overBatch: "sum",
  batch: 512,
};

/** Last epochs on the full test sets (Knight & Nowotny, NICE 2022; their raw results). */
const published = (rows: readonly (readonly [what: string, accuracy: number, sd: number])[]) =>
  rows.map(([what, accuracy, sd]) => ({ what: `${what} (Knight & Nowotny 2022)`, accuracy, sd }));

/**
 * Time constants of single neurons on SHD, as recalled from the article (Perez-Nieves, Leung, Dragotti & Goodman, Nature
 * Communications 12:5791, 2021).
 */
const heterogeneityOnShd = [
  ["hom/standard", 0.717, 0.01],
  ["het/standard", 0.737, 0.011],
  ["hom/het", 0.827, 0.008],
  ["het/het", 0.817, 0.008],
] as const;

/** Of the tutorial code of Bellec et al. (Nature Communications 11, 2020): 1.7 (1 - rho) / (1 - alpha). */
const bellecBeta = 0.0174279;

/** @param bundled the path of a file in `examples/` */
export function classifyPresets(bundled: (name: string) => string): Readonly<Record<string, ClassifyPreset>> {
  return {
    digits: {
      about:
        "spoken digits of four speakers as spikes, 256 adaptive recurrent neurons by BPTT; about a minute on 2 cores",
      // Neurons, merged channels, shift and rate were chosen by validation alone: docs/benchmarks.md.
      experiment: {
        kind: "classify",
        name: "digits",
        data: {
          train: bundled("data/digits-train.h5.gz"),
          test: bundled("data/digits-test.h5.gz"),
          validation: { type: "everyNth", n: 10 },
          encoder: { type: "bin", durationMs: 1000, mergeChannels: 5 },
          augmentation: [{ type: "shiftChannels", max: 20 }],
        },
        network: {
          dtMs: 4,
          layers: [
            {
              neurons: 256,
              model: {
                type: "ALIF",
                parameters: {
                  tauMemMs: { distribution: "uniform", min: 5, max: 40 },
                  tauAdaptMs: { distribution: "uniform", min: 30, max: 500 },
                  beta: 0.5,
                },
              },
              surrogate: { type: "fastSigmoid", beta: 5 },
              trainable: {
                tauMemMs: { range: { type: "decay", min: 4, max: 60 } },
                tauAdaptMs: { range: { type: "decay", min: 30, max: 800 } },
                beta: { range: { type: "clamp", min: 0, max: 5 } },
              },
            },
          ],
          readout: { model: { type: "CuBaLI", parameters: { tauMemMs: 20, tauSynMs: 10 } }, bias: false },
        },
        learning: {
          loss: { type: "crossEntropy", readout: "mean" },
          optimiser: { type: "adam", rate: 3e-3 },
          schedule: [{ type: "cosine" }],
          batch: 16,
          epochs: 60,
        },
      },
    },
    shd: {
      about:
        "the published setting for Spiking Heidelberg Digits (e-prop, ALIF); files of volley data get shd, or by --data and --test",
      experiment: {
        kind: "classify",
        name: "shd",
        data: { train: "data/shd/shd_train.h5.gz", test: "data/shd/shd_test.h5.gz", encoder: { type: "bin" } },
        network: { dtMs: 1, layers: [{ neurons: 256, ...knight }] },
        learning: { ...knightLearning, epochs: 100 },
        references: published([
          ["ALIF 256 recurrent, e-prop", 0.788, 0.011],
          ["ALIF 512 recurrent, e-prop", 0.846, 0.015],
          ["ALIF 1024 recurrent, e-prop", 0.866, 0.011],
          ["LIF 256 recurrent, e-prop", 0.656, 0.019],
          ["LIF 256 recurrent, BPTT", 0.8, 0.02],
        ]),
      },
    },
    "shd-heterogeneity": {
      about:
        "one condition of the heterogeneity study on Spiking Heidelberg Digits (BPTT, 128 LIF); all of them by volley sweep",
      // As in the study but for the time step, which is 0.5 ms there, and seeds.
      experiment: {
        kind: "classify",
        name: "shd-heterogeneity",
        data: {
          train: "data/shd/shd_train.h5.gz",
          test: "data/shd/shd_test.h5.gz",
          validation: null,
          encoder: { type: "bin", durationMs: 1000, rounding: "nearest" },
        },
        network: {
          dtMs: 2,
          heterogeneity: "het/het",
          layers: [
            {
              neurons: 128,
              model: { type: "PerezNievesLIF", parameters: { tauMemMs: 20, tauSynMs: 10 } },
              recurrentDelaySteps: 2,
              initial: { type: "uniform" },
              recurrentInitial: { type: "uniform" },
              surrogate: { type: "fastSigmoid", beta: 100 },
            },
          ],
          readout: {
            model: { type: "CuBaLI", parameters: { tauMemMs: 20, tauSynMs: 10 } },
            delaySteps: 1,
            initial: { type: "uniform" },
            bias: false,
          },
        },
        learning: {
          loss: { type: "crossEntropy", readout: "max" },
          optimiser: { type: "adam", rate: 1e-3 },
          constantsRate: 1e-3,
          batch: 64,
          epochs: 150,
        },
        references: heterogeneityOnShd.map(([condition, accuracy, sd]) => ({
          what: `${condition} (Perez-Nieves et al. 2021, as recalled)`,
          accuracy,
          sd,
        })),
      },
    },
    smnist: {
      about: "sequential MNIST, pixel by pixel as threshold crossings (e-prop, ALIF); volley data get mnist",
      experiment: {
        kind: "classify",
        name: "smnist",
        data: {
          train: "data/mnist/train-images-idx3-ubyte.gz",
          test: "data/mnist/t10k-images-idx3-ubyte.gz",
          encoder: { type: "thresholdCrossing" },
        },
        network: { dtMs: 1, layers: [{ neurons: 256, ...knight }] },
        learning: { ...knightLearning, epochs: 100 },
        references: published([
          ["ALIF 256 recurrent, e-prop", 0.899, 0.006],
          ["ALIF 512 recurrent, e-prop", 0.923, 0.009],
          ["ALIF 1024 recurrent, e-prop", 0.921, 0.009],
        ]),
      },
    },
    evidence: {
      about: "Bellec's evidence accumulation (e-prop, 50 LIF and 50 ALIF); stops at 93 % in validation",
      experiment: {
        kind: "classify",
        name: "evidence",
        data: {
          train: { generate: "evidence", trials: 131_072 },
          test: { generate: "evidence", trials: 512 },
          validation: { type: "fraction", fraction: 512 / 131_072 },
          encoder: { type: "bin" },
        },
        network: {
          dtMs: 1,
          layers: [
            {
              neurons: 100,
              model: {
                type: "BellecALIF",
                parameters: {
                  tauMemMs: 20,
                  tauAdaptMs: 2000,
                  threshold: 0.6,
                  refractoryMs: 5,
                  beta: Array.from({ length: 100 }, (_, i) => (i < 50 ? 0 : bellecBeta)),
                },
              },
              initial: { type: "normal" },
              recurrentInitial: { type: "normal" },
              surrogate: { type: "triangle", height: 0.5, width: 0.6 },
            },
          ],
          readout: { bias: false },
        },
        learning: {
          rule: "eprop",
          loss: { type: "crossEntropy", readout: "perStep", overSteps: "mean", fromStep: 2100 },
          regularise: [{ type: "meanRate", targetHz: 10, strength: 1, over: "batch" }],
          optimiser: { type: "adam", rate: 5e-3 },
          batch: 64,
          samplesPerEpoch: 1280,
          epochs: 100,
          stopAt: { accuracy: 0.93 },
        },
      },
    },
    pattern: {
      about:
        "Bellec's pattern generation (e-prop, random feedback): a readout follows a curve; stops at an error of 2 %",
      experiment: {
        kind: "classify",
        name: "pattern",
        data: { train: { generate: "pattern" }, validation: null, encoder: { type: "bin" } },
        network: {
          dtMs: 1,
          layers: [
            {
              neurons: 100,
              // beta 0: no adaptation. Its currents are scaled by 1 - alpha, which the threshold of 0.03 is meant for.
              model: { type: "ALIF", parameters: { tauMemMs: 20, threshold: 0.03, refractoryMs: 5, beta: 0 } },
              initial: { type: "normal" },
              recurrentInitial: { type: "normal" },
              surrogate: { type: "triangle", height: 10, width: 0.03 },
            },
          ],
          readout: { bias: false },
        },
        learning: {
          rule: "eprop",
          feedback: "random",
          regularise: [{ type: "meanRate", targetHz: 10, strength: 300, over: "batch" }],
          // Ten times the published rate: a tenth of the trials.
          optimiser: { type: "adam", rate: 1e-3 },
          batch: 1,
          samplesPerEpoch: 20,
          epochs: 500,
          stopAt: { normalisedError: 0.02 },
        },
      },
    },
  };
}
