import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Philox } from "../../random/philox.ts";
import { type LossDescription, makeLoss } from "./loss.ts";
import type { Target } from "./row-loss.ts";

/** Golden readouts [sample][step][output] of small networks, and the loss averaged over their samples. */
interface GoldenReadout {
  readonly readout: number[][][];
  readonly loss: number;
}

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../test/gradient/${name}-golden.json`, import.meta.url), "utf8"));
const bptt = golden("bptt") as {
  readonly labels: number[];
  readonly cases: (GoldenReadout & {
    readonly name: string;
    readout_max: number[][];
    readout_argmax_step: number[][];
  })[];
};
const eprop = ["eprop-lif", "eprop-alif"].map((name) => {
  const file = golden(name) as GoldenReadout & { readonly labels: number[] };
  return { name, ...file };
});

function normals(seed: number, count: number, sd = 1): Float64Array {
  const out = new Float64Array(count);
  new Philox(seed).normal(0, 0, out);
  return out.map((value) => sd * value);
}

/** Largest difference of dy to central differences, in units of the largest entry. */
function gradientError(
  description: LossDescription,
  y: Float64Array,
  steps: number,
  outputs: number,
  target: Target,
): number {
  const loss = makeLoss(description, outputs);
  const dy = new Float64Array(y.length).fill(NaN);
  loss.evaluate(y, steps, target, dy, 0.7);
  const scratch = new Float64Array(y.length);
  const step = 1e-5;
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < y.length; i++) {
    const moved = y.slice();
    moved[i] = y[i] + step;
    const up = loss.evaluate(moved, steps, target, scratch, 0.7).loss;
    moved[i] = y[i] - step;
    const down = loss.evaluate(moved, steps, target, scratch, 0.7).loss;
    worst = Math.max(worst, Math.abs((up - down) / (2 * step) - dy[i]));
    largest = Math.max(largest, Math.abs(dy[i]));
  }
  return worst / largest;
}

describe("golden vectors", () => {
  it.each([
    ...bptt.cases.map((one) => ({ ...one, kind: "max" as const, labels: bptt.labels })),
    ...eprop.map((one) => ({ ...one, kind: "perStep" as const })),
  ])("$name: the loss of $kind to 1e-12", ({ kind, labels, readout, loss: expected }) => {
    const loss = makeLoss({ type: "crossEntropy", readout: kind }, 3);
    const dy = new Float64Array(60);
    let sum = 0;
    readout.forEach((sample, b) => {
      sum += loss.evaluate(Float64Array.from(sample.flat()), 20, { label: labels[b] }, dy, 1 / 4).loss;
    });
    expect(Math.abs(sum / expected - 1)).toBeLessThan(1e-12);
  });

  it("the gradient goes to the maximal step, as softmax - onehot", () => {
    const { readout, readout_max: maxima, readout_argmax_step: steps } = bptt.cases[1];
    const loss = makeLoss({ type: "crossEntropy" }, 3);
    readout.forEach((sample, b) => {
      const dy = new Float32Array(60);
      const { probabilities } = loss.evaluate(Float32Array.from(sample.flat()), 20, { label: bptt.labels[b] }, dy);
      const sum = maxima[b].reduce((total, value) => total + Math.exp(value), 0);
      for (let k = 0; k < 3; k++) {
        const p = Math.exp(maxima[b][k]) / sum;
        expect(probabilities[k]).toBeCloseTo(p, 6);
        expect(dy[3 * steps[b][k] + k]).toBeCloseTo(p - (k === bptt.labels[b] ? 1 : 0), 6);
      }
      expect(dy.filter((value) => value !== 0).length).toBe(3);
    });
  });
});

describe("closed forms", () => {
  const zeros = new Float32Array(10 * 4);
  const dy = new Float32Array(40);

  it("cross-entropy of nothing known is log K, per step and over all steps", () => {
    const evaluate = (description: LossDescription) => makeLoss(description, 4).evaluate(zeros, 10, { label: 2 }, dy);
    expect(evaluate({ type: "crossEntropy", readout: "last" }).loss).toBeCloseTo(Math.log(4), 14);
    expect(evaluate({ type: "crossEntropy", readout: "perStep" }).loss).toBeCloseTo(10 * Math.log(4), 13);
    expect(evaluate({ type: "crossEntropy", readout: "perStep", overSteps: "mean" }).loss).toBeCloseTo(Math.log(4), 14);
    expect(evaluate({ type: "focal", gamma: 2, readout: "mean" }).loss).toBeCloseTo((9 / 16) * Math.log(4), 14);
    expect(evaluate({ type: "crossEntropy", classWeights: [1, 1, 3, 1] }).loss).toBeCloseTo(3 * Math.log(4), 14);
    const window = evaluate({ type: "crossEntropy", readout: "perStep", fromStep: 7, toStep: 9 });
    expect(window.loss).toBeCloseTo(2 * Math.log(4), 14);
    expect([...window.probabilities]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(Array.from({ length: 10 }, (_, t) => dy[4 * t + 2])).toEqual([0, 0, 0, 0, 0, 0, 0, -0.75, -0.75, 0]);
  });

  it("focal loss with gamma 0 is cross-entropy", () => {
    const y = Float32Array.from(normals(3, 40));
    const other = new Float32Array(40);
    const plain = makeLoss({ type: "crossEntropy", readout: "perStep" }, 4).evaluate(y, 10, { label: 1 }, dy).loss;
    const focal = makeLoss({ type: "focal", gamma: 0, readout: "perStep" }, 4).evaluate(y, 10, { label: 1 }, other);
    expect(focal.loss).toBe(plain);
    expect(other).toEqual(dy);
  });

  it("focal loss is 0 with gradient 0 where nothing is left to learn", () => {
    const y = Float32Array.of(500, -500);
    const gradient = new Float32Array(2).fill(NaN);
    for (const gamma of [0.5, 1, 2]) {
      expect(makeLoss({ type: "focal", gamma }, 2).evaluate(y, 1, { label: 0 }, gradient).loss).toBe(0);
      expect(Math.abs(gradient[0]) + Math.abs(gradient[1])).toBeLessThan(1e-30);
    }
  });

  it("squared error of spike counts against a label", () => {
    const spikes = Float32Array.of(1, 0, 1, 1, 0, 0); // 3 steps x 2 outputs: counts 2 and 1
    const gradient = new Float32Array(6);
    const loss = makeLoss({ type: "squaredError", readout: "spikeCount", on: 5, off: 1 }, 2);
    expect(loss.evaluate(spikes, 3, { label: 0 }, gradient)).toMatchObject({ loss: 4.5, predicted: 0 });
    expect([...gradient]).toEqual([-3, 0, -3, 0, -3, 0]);
  });

  it("squared error against a trace, masked by step or by value", () => {
    const y = Float32Array.of(1, 2, 3, 4);
    const trace = new Float32Array(4);
    const gradient = new Float32Array(4);
    const loss = makeLoss({ type: "squaredError", readout: "perStep" }, 2);
    expect(loss.evaluate(y, 2, { trace }, gradient).loss).toBe(15);
    expect(loss.evaluate(y, 2, { trace, mask: Uint8Array.of(0, 1) }, gradient, 2).loss).toBe(25);
    expect([...gradient]).toEqual([0, 0, 6, 8]);
    expect(loss.evaluate(y, 2, { trace, mask: Uint8Array.of(1, 0, 0, 1) }, gradient).loss).toBe(8.5);
    const mean = makeLoss({ type: "squaredError", readout: "perStep", overSteps: "mean" }, 2);
    expect(mean.evaluate(y, 2, { trace }, gradient).loss).toBe(7.5);
    expect(mean.evaluate(y, 2, { trace, mask: Uint8Array.of(0, 1) }, gradient).loss).toBe(12.5);
    expect(mean.evaluate(y, 2, { trace, mask: Uint8Array.of(1, 0, 0, 1) }, gradient).loss).toBe(8.5);
    expect(mean.evaluate(y, 2, { trace, mask: Uint8Array.of(0, 0) }, gradient).loss).toBe(0);
    expect([...gradient]).toEqual([0, 0, 0, 0]);
    const reduced = makeLoss({ type: "squaredError", readout: "mean" }, 2);
    expect(reduced.evaluate(y, 2, { trace: Float32Array.of(0, 3) }, gradient).loss).toBe(2);
  });
});

describe("gradients equal central differences", () => {
  const readouts = ["last", "sum", "mean", "max", "spikeCount", "perStep"] as const;
  const types = ["crossEntropy", "focal", "squaredError"] as const;

  it.each(types.flatMap((type) => readouts.map((readout) => [type, readout] as const)))("%s of %s", (type, readout) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 2, max: 5 }),
        fc.nat({ max: 1e6 }),
        fc.boolean(),
        (steps, outputs, seed, windowed) => {
          const y = normals(seed, steps * outputs);
          const description = {
            type,
            readout,
            ...(windowed ? { fromStep: Math.floor(steps / 3), toStep: Math.ceil(steps / 2) + 1 } : {}),
            ...(readout === "perStep" && seed % 2 === 0 ? { overSteps: "mean" } : {}),
            ...(type === "focal" ? { gamma: [0.5, 1, 2, 3.5][seed % 4] } : {}),
            ...(type !== "squaredError" ? { classWeights: Array.from({ length: outputs }, (_, k) => 1 + k) } : {}),
          } as LossDescription;
          expect(gradientError(description, y, steps, outputs, { label: seed % outputs })).toBeLessThan(1e-6);
        },
      ),
      { numRuns: 25, seed: 1 },
    );
  });

  it.each(readouts)("squared error of %s to a masked trace", (readout) => {
    const [steps, outputs] = [8, 3];
    const rows = readout === "perStep" ? steps : 1;
    const trace = normals(5, rows * outputs);
    for (const size of [rows, rows * outputs]) {
      const mask = normals(size, size).map(Math.abs);
      for (const overSteps of readout === "perStep" ? (["sum", "mean"] as const) : [undefined]) {
        const description: LossDescription = { type: "squaredError", readout, overSteps };
        expect(gradientError(description, normals(9, 24), steps, outputs, { trace, mask })).toBeLessThan(1e-6);
      }
    }
  });
});

describe("evaluation", () => {
  it("gives in float32 what it gives in float64, and touches nothing beyond the sample", () => {
    for (const readout of ["perStep", "max", "mean"] as const) {
      const y = Float32Array.from(normals(11, 60, 3));
      const dy = new Float32Array(60).fill(7);
      const exact = new Float64Array(60).fill(7);
      const loss = makeLoss({ type: "crossEntropy", readout }, 4);
      const single = { ...loss.evaluate(y, 10, { label: 3 }, dy) };
      expect(loss.evaluate(Float64Array.from(y), 10, { label: 3 }, exact)).toEqual(single);
      expect(dy).toEqual(Float32Array.from(exact));
      expect([...dy.subarray(40)]).toEqual(new Array(20).fill(7));
    }
  });

  it("scales loss and gradient by the weight", () => {
    const y = Float32Array.from(normals(12, 20));
    const loss = makeLoss({ type: "focal", readout: "perStep" }, 4);
    const [once, quarter] = [new Float64Array(20), new Float64Array(20)];
    const full = loss.evaluate(y, 5, { label: 0 }, once).loss;
    expect(loss.evaluate(y, 5, { label: 0 }, quarter, 0.25).loss).toBeCloseTo(full / 4, 14);
    quarter.forEach((value, i) => {
      expect(value).toBeCloseTo(once[i] / 4, 15);
    });
  });

  it("predicts from the readout, from another one if told so, and from the mean if every step counts", () => {
    const y = Float32Array.of(9, 0, 0, 5, 0, 6); // 3 steps x 2 outputs: last, mean and max differ
    const dy = new Float32Array(6);
    const predicted = (description: LossDescription) => {
      const loss = makeLoss(description, 2);
      const { predicted: trained, probabilities } = loss.evaluate(y, 3, { label: 0 }, dy);
      const expected = [...probabilities];
      expect(loss.predict(y, 3)).toMatchObject({ predicted: trained });
      expect([...loss.predict(y, 3).probabilities]).toEqual(expected);
      return trained;
    };
    expect(predicted({ type: "crossEntropy", readout: "last" })).toBe(1);
    expect(predicted({ type: "crossEntropy", readout: "max" })).toBe(0);
    expect(predicted({ type: "crossEntropy", readout: "perStep" })).toBe(1);
    expect(predicted({ type: "crossEntropy", readout: "perStep", prediction: "max" })).toBe(0);
    expect(predicted({ type: "crossEntropy", readout: "max", prediction: "sum" })).toBe(1);
  });

  it("lets NaN through to the loss", () => {
    const dy = new Float32Array(4);
    for (const readout of ["perStep", "max", "last", "sum"] as const) {
      const loss = makeLoss({ type: "crossEntropy", readout }, 2);
      expect(loss.evaluate(Float32Array.of(0, 0, NaN, 1), 2, { label: 0 }, dy).loss).toBeNaN();
    }
  });
});

describe("refuses", () => {
  const y = new Float32Array(12);
  const dy = new Float32Array(12);

  it.each([
    [{ label: 3 }, "label 3, but the network has 3 outputs, for labels 0 to 2"],
    [{ label: 1.5 }, "label 1.5"],
    [{ trace: new Float32Array(12) }, "cross-entropy needs a label"],
    [{ trace: new Float32Array(9) }, "a target trace has 9 values; it needs 4 x 3"],
    [{ trace: new Float32Array(12), mask: new Float32Array(5) }, "the mask of a target has 5 values"],
  ])("the target %j", (target, message) => {
    const loss = makeLoss({ type: "crossEntropy", readout: "perStep" }, 3);
    expect(() => loss.evaluate(y, 4, target, dy)).toThrow(message);
  });

  it("a sample that ends before the error window", () => {
    const loss = makeLoss({ type: "crossEntropy", readout: "perStep", fromStep: 4 }, 3);
    expect(() => loss.evaluate(y, 4, { label: 0 }, dy)).toThrow("a sample has 4 steps, but the loss counts only from");
    expect(() => loss.predict(y, 4)).toThrow("lower fromStep");
  });

  it.each<[LossDescription, string]>([
    [{ type: "crossentropy" as "focal" }, 'did you mean "crossEntropy"?'],
    [{ type: "crossEntropy", readout: "pertsep" as "max" }, 'loss.readout is "pertsep"; it must be one of "last"'],
    [{ type: "crossEntropy", fromStep: 5, toStep: 5 }, "loss.toStep is 5; it must be above loss.fromStep"],
    [{ type: "crossEntropy", overSteps: "mean" }, 'needs the readout "perStep", not "max"'],
    [{ type: "crossEntropy", classWeights: [1, 2] }, "loss.classWeights has 2 numbers; give one for each of the 3"],
    [{ type: "focal", gamma: -1 }, "loss.gamma is -1; it must be a number of at least 0"],
  ])("%j", (description, message) => {
    expect(() => makeLoss(description, 3)).toThrow(message);
  });
});
