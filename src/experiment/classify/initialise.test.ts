import { expect, test } from "vitest";
import { prepareSmall, smallExperiment } from "../../../test/classify/small.ts";
import { ChannelGroup, LocalGroup } from "../../device/cpu/group.ts";
import { gradientHost } from "../../learning/gradient/host.ts";
import type { LearningPlan } from "../../learning/gradient/learning-plan.ts";
import { GradientTrainer } from "../../learning/gradient/trainer.ts";
import type { TrainingSpec } from "../../learning/gradient/training-spec.ts";
import { describeInitial, homeostasisText, initialise } from "./initialise.ts";
import type { ClassifyExperiment, ClassifyInput } from "./schema.ts";

type Initialisation = ClassifyInput["network"]["initialisation"];

const alone = (spec: TrainingSpec, plan: LearningPlan) =>
  GradientTrainer.create(spec, plan, new LocalGroup(gradientHost()));

/** Several workers in this thread. */
const several = (size: number) => (spec: TrainingSpec, plan: LearningPlan) => {
  const hosts = Array.from({ length: size }, () => gradientHost());
  const group = new ChannelGroup(size, (rank, onAnswer) => ({
    post: async ({ id, method, args }) => onAnswer({ id, result: await hosts[rank][method](...(args as never[])) }),
    close: async () => {},
  }));
  return GradientTrainer.create(spec, plan, group);
};

function experiment(initialisation: Initialisation, change: Parameters<typeof smallExperiment>[0] = {}): ClassifyInput {
  const layers = [{ neurons: 12 }, { neurons: 10, recurrent: false }];
  const small = smallExperiment({ layers, ...change });
  return { ...small, network: { ...small.network, initialisation } };
}

const exactly = (given: ClassifyExperiment): ClassifyExperiment => ({
  ...given,
  network: { ...given.network, initialisation: { ...given.network.initialisation, exact: true } },
});
const weightsOf = ({ projections }: LearningPlan) => projections.map(({ initial }) => initial as Float32Array);
const sequential = { weights: { type: "fluctuation", sigma: 1.5, rate: "sequential" } } as const;

test("without what looks at data nothing is run, and the plan stays the experiment's", async () => {
  const prepared = await prepareSmall(experiment({}));
  const started = await initialise(prepared, () => Promise.reject(new Error("no trainer is needed")));
  expect(started).toEqual({ plan: prepared.plan, homeostasis: null });
});

test("one rule for the whole network; layers that say something else keep it", async () => {
  const prepared = await prepareSmall(
    experiment(
      { weights: { type: "kaiming", gain: 1 } },
      {
        layers: [
          { neurons: 5, recurrentInitial: { type: "orthogonal" } },
          { neurons: 4, initial: { type: "uniform" } },
        ],
      },
    ),
  );
  expect(prepared.plan.projections.map(({ initial }) => (initial as { type: string }).type)).toEqual([
    "kaiming",
    "orthogonal",
    "uniform",
    "kaiming",
    "normal",
  ]);
});

test("Dale's law: where some sources inhibit, weights balance", async () => {
  const constraint = { type: "dale" } as const;
  const prepared = await prepareSmall(
    experiment(
      {},
      {
        layers: [
          { neurons: 40, constraint, excitatoryFraction: 0.75 },
          { neurons: 30, constraint, recurrent: false, excitatoryFraction: 1 },
          { neurons: 20, constraint, recurrent: false },
        ],
      },
    ),
  );
  const types = prepared.plan.projections.map(({ initial }) => (initial as { type: string }).type);
  expect(types).toEqual(["daleFluctuation", "daleFluctuation", "daleFluctuation", "fluctuation", "normal"]);
  const { plan } = await initialise({ ...prepared, experiment: exactly(prepared.experiment) }, alone);
  const [into, back] = weightsOf(plan);
  expect(into.every((w) => w >= 0)).toBe(true);
  expect(back.every((w, i) => (Math.floor(i / 40) < 30 ? w >= 0 : w <= 0))).toBe(true);
});

test("the word of earlier experiments, rateHz, is understood", async () => {
  const initial = (rateHz: number | null) => ({ type: "fluctuation", rateHz }) as never;
  const prepared = await prepareSmall(
    experiment({}, { layers: [{ neurons: 5, initial: initial(7), recurrentInitial: initial(null) }] }),
  );
  expect(prepared.plan.projections.map(({ initial }) => initial).slice(0, 2)).toMatchObject([
    { type: "fluctuation", rate: 7 },
    { type: "fluctuation", rate: "data" },
  ]);
});

test.each([
  ["sequential and exact", { ...sequential, exact: true }],
  ["scaling", { homeostasis: { by: "scaling", batches: 3 } }],
  ["regularisers", { ...sequential, homeostasis: { by: "regularisers", batches: 6, lowHz: 20, silentShare: 0 } }],
] satisfies [string, Initialisation][])("%s: the same bytes for any number of threads", async (_, initialisation) => {
  const prepared = await prepareSmall(experiment(initialisation));
  const one = await initialise(prepared, alone);
  const two = await initialise(prepared, several(2));
  expect(weightsOf(two.plan)).toEqual(weightsOf(one.plan));
  expect(two.homeostasis).toEqual(one.homeostasis);
  expect(weightsOf(one.plan)[0]).toBeInstanceOf(Float32Array);
});

test("what the network would do is said beside what was aimed at", async () => {
  const prepared = await prepareSmall(experiment({ ...sequential, exact: true }));
  const { plan } = await initialise(prepared, alone);
  const { layers, samples, inputHz } = await describeInitial(prepared, weightsOf(plan));
  // 33 samples are left to train on.
  expect(samples).toBe(33);
  expect(inputHz).toBeCloseTo(50, 6);
  expect(layers.map(({ name, rules }) => [name, ...rules])).toEqual([
    ["hidden1", "fluctuation", "fluctuation"],
    ["hidden2", "fluctuation"],
  ]);
  for (const { aim, measured, values, neurons } of layers) {
    expect(aim).toEqual({ mean: 0, sigma: 1.5, xi: 1 / 1.5 });
    expect(Math.abs(measured.sigma / 1.5 - 1)).toBeLessThan(0.01);
    expect(values.length).toBe(33 * 20 * neurons);
  }
});

test("homeostasis says what it came to, and what cannot be is refused", async () => {
  const course = [
    [{ name: "hidden", rateHz: 0.5, silentShare: 0.5 }],
    [{ name: "hidden", rateHz: 12.34, silentShare: 0 }],
  ];
  expect(homeostasisText({ by: "scaling", reached: true, course })).toBe(
    "homeostasis: after 1 change by scaling of weights all layers are within bounds: hidden 12.3 Hz",
  );
  expect(homeostasisText({ by: "regularisers", reached: false, course: [course[0]] })).toMatch(
    /^homeostasis: 0 changes by rate regularisers did not bring .* hidden 0\.5 Hz; raise network\.initialisation/,
  );
  const turned = await prepareSmall(experiment({ homeostasis: { lowHz: 10, highHz: 5 } }));
  await expect(initialise(turned, alone)).rejects.toThrow(/has lowHz 10 and highHz 5; lowHz must be below highHz/);
  expect(() => prepareSmall(experiment({ homeostasis: { by: "scale" as never } }))).toThrow(
    /network\.initialisation\.homeostasis\.by is "scale"; it must be one of "scaling", "regularisers"/,
  );
});
