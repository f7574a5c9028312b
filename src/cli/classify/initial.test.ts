import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { LocalGroup } from "../../device/cpu/group.ts";
import { makeLoop } from "../../experiment/classify/prepare.ts";
import { gradientHost } from "../../learning/gradient/host.ts";
import { GradientTrainer } from "../../learning/gradient/trainer.ts";
import { briefInitialReport } from "./initial.ts";

test("a training looks at its start where memory is left for it, and goes without where not", async () => {
  const prepared = await prepareSmall(smallExperiment());
  const trainer = await GradientTrainer.create(prepared.spec, prepared.plan, new LocalGroup(gradientHost()));
  const session = { prepared, loop: makeLoop(prepared, trainer), homeostasis: null };
  expect(await briefInitialReport(session, 1e9)).toMatchObject({
    start: { samples: 16, layers: [{ name: "hidden", neurons: 8 }] },
    gradients: null,
  });
  expect(await briefInitialReport(session, 1e3)).toMatch(/takes .* of memory, but 1\.0 kB are left$/);
  prepared.data.close();
});
