/** `volley inspect` for classifiers. */
import type { Outcome } from "../../experiment/classify/outcome.ts";
import type { RunFolder } from "../../experiment/run-folder.ts";
import { checkpointLines, type DescribedCheckpoint } from "../checkpoints.ts";
import type { Context } from "../context.ts";
import { jsonLine } from "../talk.ts";
import { outcomeLines } from "./figures.ts";
import { figuresText } from "./progress.ts";
import { modelName, ruleText } from "./session.ts";

export async function inspectClassifier(
  context: Context,
  run: RunFolder,
  checkpoints: readonly DescribedCheckpoint[],
  json: boolean,
): Promise<void> {
  const experiment = await run.classifyExperiment();
  const epochs = await run.epochs();
  const outcome = await run.readResult<Outcome>("outcome.json");
  const last = epochs.at(-1);
  const { layers, readout } = experiment.network;
  const network = [...layers, readout].map(({ neurons, model }) => `${neurons} ${modelName(model.type)}`);
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
