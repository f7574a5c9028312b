/** `volley inspect` for classifiers. */
import type { Learned, LearnedConstants, Outcome } from "../../experiment/classify/outcome.ts";
import { neuronLayers } from "../../experiment/classify/views.ts";
import type { RunFolder } from "../../experiment/run-folder.ts";
import { summarisePositive } from "../../math/distribution-fits.ts";
import { mean, median, variance } from "../../math/statistics.ts";
import { checkpointLines, type DescribedCheckpoint } from "../checkpoints.ts";
import type { Context } from "../context.ts";
import { jsonLine } from "../talk.ts";
import { outcomeLines } from "./figures.ts";
import { figuresText } from "./progress.ts";
import { modelName, ruleText } from "./session.ts";

/** In numbers, and for time constants the distributions that fit them. */
function summaryOf({ unit, values }: LearnedConstants) {
  if (unit === "ms" && values.every((value) => value > 0)) return summarisePositive(values);
  return { count: values.length, mean: mean(values), sd: Math.sqrt(variance(values)), median: median(values) };
}

/** Trained constants before and after. */
function constantsOf(before: Learned | undefined, after: Learned | undefined) {
  const own = (after ?? before)?.constants ?? [];
  return own.map(({ layer, name, unit }) => {
    const of = (learned: Learned | undefined) => {
      const found = learned?.constants.find((one) => one.layer === layer && one.name === name);
      return found === undefined ? null : summaryOf(found);
    };
    return { layer, name, unit, before: of(before), after: of(after) };
  });
}

/** Constants that differ between neurons and are not trained. */
const fixedOf = ({ fixed = [] }: Learned) =>
  fixed.map((one) => ({ layer: one.layer, name: one.name, unit: one.unit, values: summaryOf(one) }));

export async function inspectClassifier(
  context: Context,
  run: RunFolder,
  checkpoints: readonly DescribedCheckpoint[],
  json: boolean,
): Promise<void> {
  const experiment = await run.classifyExperiment();
  const epochs = await run.epochs();
  const outcome = await run.readResult<Outcome>("outcome.json");
  const before = await run.readResult<Learned>("before.json");
  const last = epochs.at(-1);
  const { layers, readout } = experiment.network;
  const populations = [...neuronLayers(layers), { neurons: readout.neurons, model: readout.model.type }];
  const network = populations.map(({ neurons, model }) => `${neurons} ${modelName(model)}`);
  if (json) {
    context.stdout.write(
      jsonLine({
        run: run.path,
        name: experiment.name,
        seed: experiment.seed,
        network,
        rule: experiment.learning.rule,
        epochs: { done: last?.epoch ?? 0, planned: experiment.learning.epochs },
        train: last?.train ?? null,
        validation: last?.validation ?? null,
        checkpoints,
        test: outcome?.last.test ?? null,
        ...(outcome?.last.disturbed === undefined ? {} : { disturbed: outcome.last.disturbed }),
        constants: constantsOf(before, outcome?.after),
        fixed: before === undefined ? [] : fixedOf(before),
      }),
    );
    return;
  }
  const lines = [
    `${experiment.name}: ${run.path}`,
    `  network      ${network.join(" - ")}, ${ruleText(experiment)}, seed ${experiment.seed}`,
    `  epochs       ${last?.epoch ?? 0} of ${experiment.learning.epochs}`,
    ...(last === undefined ? [] : [`  learning     ${figuresText(last.train)}`]),
    ...(last?.validation == null ? [] : [`  validation   ${figuresText(last.validation)}`]),
    ...checkpointLines(checkpoints, "epoch"),
    ...(outcome === undefined ? ["  test         none yet"] : []),
  ];
  context.stdout.write(`${lines.join("\n")}\n${outcome === undefined ? "" : outcomeLines(outcome)}`);
}
