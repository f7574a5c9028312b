import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { GradientMember } from "../../learning/gradient/member.ts";
import { estimateClassifier, guardClassifier } from "./memory.ts";

const large = () => prepareSmall(smallExperiment({ layer: { neurons: 600 } }));
const use = { threads: 1, maxSteps: 20, batch: 8 };

test("the estimate of an engine is what the engine takes", async () => {
  const { spec, plan, summary, data, experiment } = await large();
  const member = await GradientMember.create(spec);
  const sample = { steps: 20, offsets: new Uint32Array(21), channels: new Uint32Array(0), values: null };
  member.run({
    values: null,
    lanes: Array.from({ length: 8 }, (_, lane) => ({ lane, samples: [{ events: sample, target: { label: 0 } }] })),
    weight: 1,
    train: true,
    batchCounts: null,
  });
  const { parts } = await estimateClassifier(spec, plan, summary, use);
  expect(parts.engines).toBeGreaterThan(0.9 * member.engine.memoryBytes);
  expect(parts.engines).toBeLessThan(1.3 * member.engine.memoryBytes);
  expect(experiment.network.layers[0].neurons).toBe(600);
  data.close();
});

test("a tape of 16 bits is estimated with half the bytes", async () => {
  const { spec, plan, summary, data } = await large();
  const long = { ...use, maxSteps: 2000 };
  const [wide, narrow] = await Promise.all(
    (["float32", "bfloat16"] as const).map((tape) => estimateClassifier({ ...spec, tape }, plan, summary, long)),
  );
  // 2000 steps of margins and membranes of 600 neurons.
  expect(wide.parts.engines - narrow.parts.engines).toBeCloseTo(2000 * 600 * 2 * 2, -5);
  expect(wide.total - narrow.total).toBe(wide.parts.engines - narrow.parts.engines);
  data.close();
});

test("a network that does not fit is refused with need, have, and the largest that fits", async () => {
  const prepared = await large();
  const { total } = await estimateClassifier(prepared.spec, prepared.plan, prepared.summary, use);
  await guardClassifier(prepared, 1, 2 * total);
  const refused = await guardClassifier(prepared, 1, total - 5e6).catch((error: Error) => error.message);
  const largest = Number(/the largest that fits is network\.layers\.0\.neurons = (\d+)\./.exec(String(refused))?.[1]);
  expect(largest).toBeGreaterThan(100);
  expect(largest).toBeLessThan(600);
  const smaller = await prepareSmall(smallExperiment({ layer: { neurons: largest } }));
  await guardClassifier(smaller, 1, total - 5e6);
  await expect(guardClassifier(prepared, 1, 1e6)).rejects.toThrow(/no smaller network of this kind fits either/);
});

test("samples that are looked at before training count, where they take more than training does", async () => {
  const prepared = await large();
  const { experiment } = prepared;
  const look = { ...experiment.network.initialisation, exact: true, samples: 1000 };
  const looking = { ...experiment, network: { ...experiment.network, initialisation: look } };
  const summary = { ...prepared.summary, events: 100_000, training: 1000 };
  await guardClassifier({ ...prepared, summary }, 1, 500e6);
  const refused = guardClassifier({ ...prepared, summary, experiment: looking }, 1, 500e6);
  await expect(refused).rejects.toThrow(
    /needs 9\d\d MB of memory \(samples before training 800 MB, .* Fewer samples that are looked at \(network\.init/,
  );
  // No more are looked at than there are.
  await guardClassifier({ ...prepared, experiment: looking, summary: { ...summary, training: 30 } }, 1, 500e6);
  prepared.data.close();
});

test("of a convolution it is the filters, in steps of its groups, that are told", async () => {
  const layer = { type: "conv1d", filters: 400, kernel: 5, padding: 2, groups: 2, neurons: "auto" } as const;
  const prepared = await prepareSmall(
    smallExperiment({
      data: { encoder: { type: "bin", mergeChannels: 1 } },
      layers: [{ type: "conv1d", filters: 2, kernel: 1 }, layer, { type: "flatten" }],
    }),
  );
  const { total, parts } = await estimateClassifier(prepared.spec, prepared.plan, prepared.summary, use);
  expect(parts.connections).toBeGreaterThan(2 * 8 * 10);
  const refused = await guardClassifier(prepared, 1, total - 1e5).catch((error: Error) => error.message);
  expect(refused).toMatch(
    /the largest that fits is network\.layers\.1\.filters = 2 x \d+\. A larger stride, pooling, or/,
  );
  const largest = 2 * Number(/= 2 x (\d+)\./.exec(String(refused))?.[1]);
  const smaller = await prepareSmall(
    smallExperiment({
      layers: [
        { type: "conv1d", filters: 2, kernel: 1 },
        { ...layer, filters: largest },
      ],
    }),
  );
  expect(largest).toBeLessThan(400);
  await guardClassifier(smaller, 1, total - 1e5);
});
