import { describe, expect, it } from "vitest";
import { noiseNet } from "../../../test/rls/specs.ts";
import { SingleCommunicator } from "../../device/communicator/single.ts";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { Member } from "./member.ts";
import type { RlsSpec } from "./spec.ts";
import type { TargetSource } from "./targets.ts";
import { targetRows } from "./trial-record.ts";

const rows = 8;
const spec = noiseNet({ tasks: 2, neurons: 100, excitatory: 50 });

/** Targets that a network gets, [task][trained] -> rows. */
async function targetsOf(network: RlsSpec, source: TargetSource, shardNeurons?: number): Promise<number[][][]> {
  const member = await Member.create({ spec: network, relaxed: false, shardNeurons }, new SingleCommunicator());
  member.meanCurrent = member.meanCurrent.map((_, position) => position / 8);
  member.setTargets(source);
  return Array.from({ length: network.tasks }, (_, task) =>
    member.shards.flatMap((shard) =>
      Array.from(shard.trainedGlobal, (_, t) => {
        const target = new Float64Array(rows);
        targetRows(shard, t, task, target);
        return [...target];
      }),
    ),
  );
}

const sinusoid = (bias: "none" | "ou" | "ramp"): TargetSource => ({
  kind: "sinusoids",
  amplitude: 0.5,
  periodMs: 80,
  bias,
});

describe("sinusoidal targets", () => {
  it("have a phase per neuron and task, around the mean current of the neuron", async () => {
    const targets = await targetsOf(spec, sinusoid("none"));
    const random = new Philox(spec.seed);
    const uniform = new Float64Array(1);
    targets.forEach((ofTask, task) => {
      expect(ofTask.length).toBe(100);
      ofTask.forEach((target, neuron) => {
        random.uniform(streamOf(streamKind.phase, neuron + 100 * task), 0, uniform);
        target.forEach((value, row) => {
          const t = 10 * (row + 1);
          expect(value).toBeCloseTo(0.5 * Math.sin(2 * Math.PI * (t / 80 - uniform[0])) + neuron / 8, 5);
        });
      });
    });
  });

  it("share a bias: a ramp to the amplitude, or a random path", async () => {
    const plain = await targetsOf(spec, sinusoid("none"));
    const biasOf = async (bias: "ou" | "ramp") => {
      const biased = await targetsOf(spec, sinusoid(bias));
      const difference = biased[0][0].map((value, row) => value - plain[0][0][row]);
      biased.forEach((ofTask, task) => {
        ofTask.forEach((target, neuron) => {
          target.forEach((value, row) => {
            expect(value - plain[task][neuron][row]).toBeCloseTo(difference[row], 4);
          });
        });
      });
      return difference;
    };
    (await biasOf("ramp")).forEach((value, row) => {
      expect(value).toBeCloseTo((0.5 * (row + 1)) / rows, 5);
    });
    const path = await biasOf("ou");
    expect(new Set(path.map((value) => value.toFixed(3))).size).toBeGreaterThan(4);
    // Its standard deviation is sigma sqrt(tau / 2) = 0.63.
    for (const value of path) expect(Math.abs(value)).toBeLessThan(3.2);
  });

  it("do not depend on shards", async () => {
    expect(await targetsOf(spec, sinusoid("ou"), 32)).toEqual(await targetsOf(spec, sinusoid("ou")));
  });
});

describe("targets from a recording", () => {
  const units = 7;
  const values = Float32Array.from({ length: 2 * rows * units }, (_, i) => i);
  const valueAt = (task: number, row: number, unit: number) => (task * rows + row) * units + unit;
  const source: TargetSource = { kind: "currents", values, units, includesDrive: false };

  it.each([undefined, 32])(
    "go to trained neuron p from unit p modulo their number (shards of %o)",
    async (shardNeurons) => {
      const indices = [3, 17, 18, 40, 49, 50, 70, 71, 90, 99];
      const subset = noiseNet({ ...spec, plastic: { trained: { indices } } });
      const targets = await targetsOf(subset, source, shardNeurons);
      targets.forEach((ofTask, task) => {
        expect(ofTask.length).toBe(10);
        ofTask.forEach((target, p) => {
          expect(target).toEqual(Array.from({ length: rows }, (_, row) => valueAt(task, row, p % units)));
        });
      });
    },
  );

  it("leave the drive out when they hold the total input", async () => {
    const inhibitory = Float32Array.from({ length: 50 }, (_, i) => i / 4);
    const driven = noiseNet({ ...spec, drive: { excitatory: 1.5, inhibitory } });
    const targets = await targetsOf(driven, { ...source, includesDrive: true }, 32);
    targets[1].forEach((target, p) => {
      const drive = p < 50 ? 1.5 : inhibitory[p - 50];
      expect(target[5]).toBe(valueAt(1, 5, p % units) - drive);
    });
  });
});
