/** Flags that belong to one kind of experiment are refused for the other, with what to use there. */
import { exitCode, UserError } from "../base/errors.ts";
import type { ExperimentKind } from "../experiment/kind.ts";

const onlyOf: Readonly<Record<ExperimentKind, Readonly<Record<string, string>>>> = {
  follow: {
    neurons: "set the sizes of layers, for example --set network.layers.0.neurons=128",
    iterations: "training is counted in epochs: --epochs",
    trials: "a test meets every sample once",
    "no-p": "classifiers have no P",
  },
  classify: {
    epochs: "training is counted in iterations: --iterations",
    test: "the frozen test needs no file of its own; --trials sets how long it is",
    measured: "only classifiers learn time constants",
    disturb: "only samples of classifiers can be changed",
    best: "only classifiers are validated while they train",
    data: "the frozen test compares with the targets of the run",
  },
};

/** @param flags as given; those left out are undefined */
export function refuseFlags(kind: ExperimentKind, flags: object): void {
  const other: ExperimentKind = kind === "classify" ? "follow" : "classify";
  const nouns = { follow: "networks that follow a recording", classify: "classifiers" };
  for (const [name, instead] of Object.entries(onlyOf[other])) {
    const given = (flags as Record<string, unknown>)[name];
    if (given === undefined || given === false) continue;
    throw new UserError(
      `--${name} is for ${nouns[other]}, and this is one of the ${nouns[kind]}: ${instead}`,
      exitCode.usage,
    );
  }
}
