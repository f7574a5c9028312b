/** What the members report of their lanes, put together: samples in the order of the batch, sums over all members. */
import { addArrays, lanesOf, TreeSum } from "./lanes.ts";
import type { LabelledEvents, Lane, RunResult } from "./member.ts";

/** What the samples of a test gave, in their order. */
export interface SampleResults {
  readonly losses: Float64Array;
  readonly predicted: Int32Array;
  /** [sample * outputs + output] */
  readonly probabilities: Float64Array;
  /** By population: spikes per neuron, of all samples. */
  readonly counts: readonly Float64Array[];
  readonly steps: number;
}

/** What one batch did. */
export interface BatchReport {
  /** Sum over samples, not weighted. */
  readonly loss: number;
  readonly regularisation: number;
  readonly correct: number;
  readonly samples: number;
  /** By parameter group. */
  readonly gradientNorms: Readonly<Record<string, number>>;
  /** Of all together, before clipping. */
  readonly gradientNorm: number;
  readonly counts: readonly Float64Array[];
  readonly steps: number;
  readonly support: RunResult["support"];
  /** Cut surrogates that no neuron came within in this batch, with the width that they go on with. */
  readonly widened: readonly { readonly population: number; readonly width: number }[];
}

/** @param lanes all of them, as they were dealt; the members hold them in the order of their ranks */
export function sampleResults(lanes: readonly Lane[], results: readonly RunResult[], outputs: number): SampleResults {
  const count = lanes.reduce((sum, { samples }) => sum + samples.length, 0);
  const losses = new Float64Array(count);
  const predicted = new Int32Array(count);
  const probabilities = new Float64Array(count * outputs);
  const counts = results[0].counts.map(({ length }) => new Float64Array(length));
  let steps = 0;
  for (const [rank, result] of results.entries()) {
    const { from, to } = lanesOf(rank, results.length, lanes.length);
    let at = 0;
    for (let lane = from; lane < to; lane++) {
      for (let s = 0; s < lanes[lane].samples.length; s++, at++) {
        const i = s * lanes.length + lane;
        losses[i] = result.losses[at];
        predicted[i] = result.predicted[at];
        probabilities.set(result.probabilities.subarray(at * outputs, (at + 1) * outputs), i * outputs);
      }
    }
    for (const [p, own] of result.counts.entries()) for (let i = 0; i < own.length; i++) counts[p][i] += own[i];
    steps += result.steps;
  }
  return { losses, predicted, probabilities, counts, steps };
}

/** The block of gradients of a whole batch. */
export function gradientSum(results: readonly RunResult[]): Float32Array<ArrayBuffer> {
  const tree = new TreeSum<Float32Array<ArrayBuffer>>(addArrays);
  for (const { nodes } of results) for (const node of nodes) tree.add(node);
  const sum = tree.nodes[0]?.sum;
  if (tree.nodes.length !== 1 || !sum) throw new Error("the lanes of a batch do not add up to one sum");
  return sum;
}

/** Sum of the losses, each without the weight that it had, and how many labels were predicted. */
export function score(
  batch: readonly LabelledEvents[],
  { losses, predicted }: SampleResults,
  weight: number,
): { loss: number; correct: number } {
  let [loss, correct] = [0, 0];
  for (const [i, { target }] of batch.entries()) {
    loss += losses[i] / weight;
    if ("label" in target && predicted[i] === target.label) correct++;
  }
  return { loss, correct };
}
