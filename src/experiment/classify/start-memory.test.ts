import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { compileNetwork } from "../../learning/gradient/compile.ts";
import { GradientEngine } from "../../learning/gradient/engine.ts";
import { networkToLookAt } from "../../learning/initialisation/measure.ts";
import { estimateStart, noRoomToLook } from "./start-memory.ts";

const layers = [
  { type: "conv1d", filters: 40, kernel: 5, padding: 2 },
  { type: "pool", method: "max", size: 2 },
  { neurons: 200 },
] as const;

test("the estimate of a look is what the engines take that look", async () => {
  const { spec, summary, data } = await prepareSmall(smallExperiment({ layers }));
  const network = await compileNetwork(spec);
  const sample = { steps: 400, offsets: new Uint32Array(401), channels: new Uint32Array(0), values: null };
  const taken = network.populations.map((_, p) => {
    const engine = new GradientEngine({ network: networkToLookAt(network, p), backward: false });
    engine.forward(sample);
    return engine.memoryBytes;
  });
  const { parts } = await estimateStart(spec, summary, { maxSteps: 400, samples: 16 });
  const [first] = Object.values(parts);
  expect(first / 2 / Math.max(...taken)).toBeGreaterThan(0.9);
  expect(first / 2 / Math.max(...taken)).toBeLessThan(1.2);
  data.close();
});

test("room for a look, or a sentence with need and have", async () => {
  const prepared = await prepareSmall(smallExperiment({ layers }));
  const { total } = await estimateStart(prepared.spec, prepared.summary, { maxSteps: 20, samples: 16 });
  expect(await noRoomToLook(prepared, 16, total)).toBeNull();
  expect(await noRoomToLook(prepared, 16, total - 1)).toMatch(
    /^looking at the network before training takes [\d.]+ MB of memory, but [\d.]+ MB are left$/,
  );
  prepared.data.close();
});
