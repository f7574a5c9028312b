import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { LocalGroup } from "../../device/cpu/group.ts";
import { gradientHost } from "../../learning/gradient/host.ts";
import { GradientTrainer } from "../../learning/gradient/trainer.ts";
import { describeLearned } from "./outcome.ts";
import { plainReader } from "./prepare.ts";

test("constants of neurons: those that are trained, and those that were drawn and stay; one per filter where there are", async () => {
  const drawn = { distribution: "gamma", mean: 10 } as const;
  const prepared = await prepareSmall(
    smallExperiment({
      layers: [
        {
          type: "conv1d",
          filters: 4,
          kernel: 3,
          model: { type: "StorkLIF", parameters: { tauMemMs: drawn, threshold: 0.5 } },
        },
        {
          neurons: 6,
          model: { type: "StorkLIF", parameters: { tauMemMs: drawn, threshold: [1, 2, 3, 4, 5, 6] } },
          trainable: { tauMemMs: {} },
        },
      ],
    }),
  );
  const trainer = await GradientTrainer.create(prepared.spec, prepared.plan, new LocalGroup(gradientHost()));
  const learned = await describeLearned(trainer, plainReader(prepared, prepared.data.training), prepared.scoring);
  const [conv, dense] = prepared.spec.populations.map(({ model }) => model.parameters.tauMemMs as Float32Array);
  expect(conv.length).toBeGreaterThan(4);
  expect(learned.constants).toMatchObject([{ layer: "hidden2", name: "tauMemMs", unit: "ms" }]);
  expect(Array.from(learned.constants[0].values)).toEqual(Array.from(dense, (tau) => expect.closeTo(tau, 3)));
  expect(learned.fixed).toEqual([
    { layer: "conv1", name: "tauMemMs", unit: "ms", values: Float32Array.from(conv.slice(0, 4)) },
    { layer: "hidden2", name: "threshold", unit: "threshold", values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  ]);
  prepared.data.close();
});
