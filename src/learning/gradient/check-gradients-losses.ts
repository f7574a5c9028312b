/** What gradients are checked of: every loss on every readout, every regulariser of spike counts. */
import { type CountRegulariserDescription, makeCountRegulariser } from "../losses/count-regulariser.ts";
import { type LossDescription, makeLoss } from "../losses/loss.ts";
import { reductions } from "../losses/readout.ts";
import type { Target } from "../losses/row-loss.ts";

/** What a forward pass led to. */
export interface Trace {
  readonly steps: number;
  /** [step * outputs + output] */
  readonly outputs: Float64Array;
  /** By population: sum of z over the steps. */
  readonly counts: readonly Float64Array[];
}

export interface Criterion {
  readonly name: string;
  evaluate(trace: Trace): {
    readonly loss: number;
    /** dloss/d(outputs). */
    readonly derivative: Float64Array;
    /** By population: dloss/dz, the same at every step; null for nothing. */
    readonly costs: readonly (Float64Array | null)[];
  };
}

function ofReadout(name: string, description: LossDescription, outputs: number, target: (steps: number) => Target) {
  const loss = makeLoss(description, outputs);
  const criterion: Criterion = {
    name,
    evaluate({ steps, outputs: trace, counts }) {
      const derivative = new Float64Array(trace.length);
      const { loss: value } = loss.evaluate(trace, steps, target(steps), derivative);
      return { loss: value, derivative, costs: counts.map(() => null) };
    },
  };
  return criterion;
}

function ofCounts(description: CountRegulariserDescription, name: string, dtMs: number, readout: number): Criterion {
  const regulariser = makeCountRegulariser(description, dtMs);
  return {
    name,
    evaluate({ steps, outputs, counts }) {
      let loss = 0;
      const costs = counts.map((count, p) => {
        if (p === readout) return null;
        const gradient = new Float64Array(count.length);
        loss += regulariser.evaluate(count, steps, gradient, 1);
        return gradient;
      });
      return { loss, derivative: new Float64Array(outputs.length), costs };
    },
  };
}

/** @param outputs of the readout. @param readout index of its population */
export function makeCriteria(outputs: number, dtMs: number, readout: number): Criterion[] {
  const label = (): Target => ({ label: outputs - 1 });
  const wave = (count: number) => Float64Array.from({ length: count }, (_, i) => ((7 * i) % 5) / 4 - 0.3);
  const trace = (steps: number): Target => ({
    trace: wave(steps * outputs),
    mask: Float64Array.from({ length: steps }, (_, t) => (t % 3 === 0 ? 0 : 1)),
  });
  const classWeights = Array.from({ length: outputs }, (_, k) => 0.5 + k);
  const window = { fromStep: 2, toStep: 9 };
  const readouts = [...reductions, "perStep"] as const;
  return [
    ...readouts.flatMap((reduction) => [
      ofReadout(`crossEntropy, ${reduction}`, { type: "crossEntropy", readout: reduction }, outputs, label),
      ofReadout(`squaredError, ${reduction}`, { type: "squaredError", readout: reduction, on: 0.7 }, outputs, label),
    ]),
    ofReadout("crossEntropy, window", { type: "crossEntropy", readout: "perStep", ...window }, outputs, label),
    ofReadout("crossEntropy, classWeights", { type: "crossEntropy", readout: "sum", classWeights }, outputs, label),
    ofReadout("focal, max", { type: "focal" }, outputs, label),
    ofReadout("focal, perStep", { type: "focal", readout: "perStep", overSteps: "mean" }, outputs, label),
    ofReadout("squaredError, trace", { type: "squaredError", readout: "perStep", overSteps: "mean" }, outputs, trace),
    ...([1, 2] as const).flatMap((power) => {
      const bound = { strength: 1, power } as const;
      return [
        ofCounts({ type: "lowerBound", ...bound, spikes: 15 }, `lowerBound, power ${power}`, dtMs, readout),
        ofCounts({ type: "upperBound", ...bound, spikes: 0 }, `upperBound, power ${power}`, dtMs, readout),
        ofCounts({ type: "upperBound", ...bound, spikes: 0.5, over: "neuron" }, "upperBound, neuron", dtMs, readout),
      ];
    }),
    ofCounts({ type: "spikeCount", total: 0.1, perNeuron: 0.2 }, "spikeCount", dtMs, readout),
    ofCounts({ type: "meanRate" }, "meanRate", dtMs, readout),
  ];
}
