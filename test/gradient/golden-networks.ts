/** The networks of the golden vectors (made with torch autograd in float64), as specifications of the gradient engine. */
import { readFileSync } from "node:fs";
import type { StepEvents } from "../../src/data/labelled-set.ts";
import type { Surrogate } from "../../src/expression/node.ts";
import { surrogates } from "../../src/expression/surrogates.ts";
import type { GradientNetwork, NetworkValues } from "../../src/learning/gradient/spec.ts";
import { exp, log } from "../../src/math/elementary.ts";
import { readoutModels } from "../../src/model/built-in.ts";
import { builtInModel, resolveModel } from "../../src/model/resolve.ts";
import { projection } from "./small-networks.ts";

type Matrix = number[][];

/** One case of bptt-golden.json. */
interface GoldenFile {
  readonly name: string;
  readonly surrogate: string;
  readonly beta: number;
  readonly reset: string;
  readonly detach_reset: boolean;
  readonly loss: number;
  readonly hidden_spikes: Matrix[];
  readonly hidden_membrane: Matrix[];
  readonly readout: Matrix[];
  readonly grad: { w_in: Matrix; w_rec: Matrix; w_out: Matrix; tau_mem: number[]; tau_syn: number[] };
}

export interface GoldenCase {
  readonly name: string;
  readonly network: GradientNetwork;
  readonly values: NetworkValues<Float64Array>;
  readonly feedback: (Float64Array | null)[];
  readonly samples: readonly { readonly events: StepEvents; readonly label: number }[];
  /** By sample: spikes [step][neuron] of the hidden population at the steps of the engine, where comparable. */
  readonly spikes: readonly number[][][];
  readonly membranes: readonly number[][][];
  readonly outputs: readonly number[][][];
  /** Loss over the batch, and its gradients. */
  readonly loss: number;
  readonly perStep: boolean;
  readonly gradients: {
    readonly weights: readonly Float64Array[];
    readonly constants: Readonly<Record<string, Float64Array>>;
  };
}

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const flat = (matrix: Matrix): Float64Array => Float64Array.from(matrix.flat());

function toEvents(rows: Matrix): StepEvents {
  const offsets = new Uint32Array(rows.length + 1);
  const channels: number[] = [];
  for (const [t, row] of rows.entries()) {
    for (const [i, x] of row.entries()) if (x !== 0) channels.push(i);
    offsets[t + 1] = channels.length;
  }
  return { steps: rows.length, offsets, channels: Uint32Array.from(channels), values: null };
}

export function bpttCases(): GoldenCase[] {
  const golden = read("bptt-golden.json");
  const made: Record<string, (beta: number) => Surrogate> = {
    superspike: surrogates.fastSigmoid,
    triangle: (beta) => surrogates.triangle(1, 1 / beta),
    sigmoid: surrogates.sigmoid,
  };
  return golden.cases.map((given: GoldenFile) => {
    const model = builtInModel(given.reset === "multiply" ? "StorkLIF" : "StorkSubtractLIF");
    const network: GradientNetwork = {
      dtMs: 1,
      inputs: golden.n_in,
      populations: [
        {
          name: "hidden",
          size: golden.n_hidden,
          model: resolveModel({ type: model.name, parameters: {} }),
          surrogate: made[given.surrogate](given.beta),
          detachReset: given.detach_reset,
          trainable: ["tauMemMs", "tauSynMs"],
          bias: false,
        },
        {
          name: "readout",
          size: golden.n_out,
          model: resolveModel(
            { type: "CuBaLI", parameters: { tauMemMs: 20, tauSynMs: 5 } },
            undefined,
            readoutModels.CuBaLI,
          ),
          surrogate: surrogates.none(),
          detachReset: true,
          trainable: [],
          bias: false,
        },
      ],
      projections: [
        projection("input", 0, { name: "in", backward: "none" }),
        projection(0, 0, { name: "rec", delaySteps: 2 }),
        projection(0, 1, { name: "out", delaySteps: 1 }),
      ],
      readout: 1,
    };
    const ms = (seconds: number[]) => Float64Array.from(seconds, (s) => 1000 * s);
    return {
      name: given.name,
      network,
      values: {
        weights: [flat(golden.w_in), flat(golden.w_rec), flat(golden.w_out)],
        bias: [null, null],
        constants: [{ tauMemMs: ms(golden.tau_mem), tauSynMs: ms(golden.tau_syn) }, {}],
      },
      feedback: [],
      samples: golden.input_spikes.map((rows: Matrix, b: number) => ({
        events: toEvents(rows),
        label: golden.labels[b],
      })),
      // The golden z[t] is decided by the membrane of step t - 1: the engine's spike of step t - 1.
      spikes: given.hidden_spikes.map((rows: Matrix) => rows.slice(1)),
      membranes: given.hidden_membrane,
      outputs: given.readout,
      loss: given.loss,
      perStep: false,
      gradients: {
        weights: [flat(given.grad.w_in), flat(given.grad.w_rec), flat(given.grad.w_out)],
        constants: {
          tauMemMs: Float64Array.from(given.grad.tau_mem, (g: number) => g / 1000),
          tauSynMs: Float64Array.from(given.grad.tau_syn, (g: number) => g / 1000),
        },
      },
    };
  });
}

export function epropCases(): GoldenCase[] {
  return ["lif", "alif"].flatMap((kind) => {
    const golden = read(`eprop-${kind}-golden.json`);
    const tau = (factor: number) => Float64Array.of(-1 / log(factor));
    const constants: Record<string, Float64Array> = {
      tauMemMs: new Float64Array(golden.n_hidden).fill(tau(golden.alpha)[0]),
      ...(kind === "alif" ? { tauAdaptMs: new Float64Array(golden.n_hidden).fill(tau(golden.rho)[0]) } : {}),
    };
    return ["symmetric", "random"].map((feedback) => {
      const network: GradientNetwork = {
        dtMs: 1,
        inputs: golden.n_in,
        populations: [
          {
            name: "hidden",
            size: golden.n_hidden,
            model: resolveModel({
              type: kind === "alif" ? "BellecALIF" : "BellecLIF",
              parameters: {
                threshold: golden.v_th,
                refractoryMs: 0,
                ...(kind === "alif" ? { beta: golden.beta_a } : {}),
              },
            }),
            surrogate: surrogates.triangle(golden.gamma / golden.v_th, golden.v_th),
            detachReset: true,
            trainable: Object.keys(constants),
            bias: false,
          },
          {
            name: "readout",
            size: golden.n_out,
            model: resolveModel({ type: "LI", parameters: { tauMemMs: 15 } }, undefined, readoutModels.LI),
            surrogate: surrogates.none(),
            detachReset: true,
            trainable: [],
            bias: false,
          },
        ],
        projections: [
          projection("input", 0, { name: "in", backward: "none" }),
          projection(0, 0, { name: "rec", backward: "none" }),
          projection(0, 1, { name: "out", backward: feedback === "symmetric" ? "weights" : "feedback" }),
        ],
        readout: 1,
      };
      const gradient = golden[`grad_${feedback}`];
      return {
        name: `${kind} ${feedback}`,
        network,
        values: {
          weights: [flat(golden.w_in), flat(golden.w_rec), flat(golden.w_out)],
          bias: [null, null],
          constants: [constants, {}],
        },
        feedback: [null, null, feedback === "random" ? flat(golden.feedback_random) : null],
        samples: golden.input_spikes.map((rows: Matrix, b: number) => ({
          events: toEvents(rows),
          label: golden.labels[b],
        })),
        spikes: golden.hidden_spikes,
        membranes: golden.membrane,
        outputs: golden.readout,
        loss: golden.loss,
        perStep: true,
        gradients: {
          weights: [flat(gradient.w_in), flat(gradient.w_rec), flat(gradient.w_out)],
          constants: {},
        },
      };
    });
  });
}

/** Cross-entropy of one sample of a batch, at every step or on the maximum over time; loss and derivative. */
export function goldenLoss(outputs: Float64Array, steps: number, label: number, perStep: boolean, batch: number) {
  const count = outputs.length / steps;
  const derivative = new Float64Array(outputs.length);
  let loss = 0;
  const add = (at: number[]) => {
    const values = at.map((i) => outputs[i]);
    const top = Math.max(...values);
    const sum = values.reduce((total, value) => total + exp(value - top), 0);
    loss += (top + log(sum) - values[label]) / batch;
    for (const [k, i] of at.entries()) derivative[i] += (exp(values[k] - top) / sum - (k === label ? 1 : 0)) / batch;
  };
  if (perStep) {
    for (let t = 0; t < steps; t++) add(Array.from({ length: count }, (_, k) => t * count + k));
    return { loss, derivative };
  }
  add(
    Array.from({ length: count }, (_, k) => {
      let best = k;
      for (let t = 1; t < steps; t++) if (outputs[t * count + k] > outputs[best]) best = t * count + k;
      return best;
    }),
  );
  return { loss, derivative };
}
