/** `volley inspect`: what is in a run, and whether its checkpoints are whole. Takes no lock. */
import type { Command } from "commander";
import { RunFolder } from "../../experiment/run-folder.ts";
import { checkpointLines, describeCheckpoints } from "../checkpoints.ts";
import { inspectClassifier } from "../classify/inspect.ts";
import type { Context } from "../context.ts";
import { testFigures } from "../figures.ts";
import { formatFigure, jsonLine } from "../talk.ts";

export function addInspect(program: Command, context: Context): void {
  program
    .command("inspect")
    .summary("show what a run holds and check its checkpoints")
    .description("Shows the state of a run and checks every byte of its checkpoints; works while the run is going on.")
    .argument("<run>", "the folder of the run")
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("beforeAll", "Examples:\n  volley inspect runs/alm\n  volley inspect runs/alm --json\n\n")
    .action((run: string, flags: { json?: boolean }) => inspect(context, run, flags.json ?? false));
}

async function inspect(context: Context, path: string, json: boolean): Promise<void> {
  const run = await RunFolder.open(path);
  const checkpoints = await describeCheckpoints(run);
  if ((await run.kind()) === "classify") return inspectClassifier(context, run, checkpoints, json);
  const experiment = await run.experiment();
  const metrics = await run.metrics();
  const report = await run.test();
  const last = metrics.at(-1);
  const correlation = metrics.findLast((line) => line.correlation !== null)?.correlation ?? null;
  const summary = {
    run: run.path,
    name: experiment.name,
    seed: experiment.seed,
    neurons: experiment.neurons,
    iterations: { done: last?.iteration ?? 0, planned: experiment.iterations },
    correlation,
    rateHz: last?.rateHz ?? null,
    checkpoints,
    test: report === undefined ? null : testFigures(report),
  };
  if (json) {
    context.stdout.write(jsonLine(summary));
    return;
  }
  const lines = [
    `${experiment.name}: ${run.path}`,
    `  neurons      ${experiment.neurons}, seed ${experiment.seed}`,
    `  iterations   ${summary.iterations.done} of ${experiment.iterations}`,
    ...(last === undefined
      ? []
      : [`  while learning  correlation ${formatFigure(correlation)}, ${last.rateHz.toFixed(2)} Hz`]),
    ...checkpointLines(checkpoints, "iteration"),
    report === undefined
      ? "  test         none yet"
      : `  test         current ${formatFigure(report.current.single)} single, ${formatFigure(report.current.average)} mean of ${report.trialsPerTask} trials`,
  ];
  context.stdout.write(`${lines.join("\n")}\n`);
}
