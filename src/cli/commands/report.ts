/** `volley report`: renders report.html again from what the run folder holds. */
import type { Command } from "commander";
import { RunFolder } from "../../experiment/run-folder.ts";
import { addMeasured, writeClassifierReport } from "../classify/report.ts";
import type { Context } from "../context.ts";
import { refuseFlags } from "../kinds.ts";
import { writeRunReport } from "../session.ts";

const examples = `Examples:
  volley report runs/alm
  volley report runs/digits --measured tau.csv    a table of quantiles, or one value per neuron

`;

export function addReport(program: Command, context: Context): void {
  program
    .command("report")
    .summary("write report.html of a run")
    .description("Writes report.html from the files of a run; works while the run is going on. Prints its path.")
    .argument("<run>", "the folder of the run")
    .option("--measured <file>", "classifiers: show these measured time constants beside the learned ones, from now on")
    .option("--dataset <name>", "which array or column of that file, where it holds several")
    .addHelpText("beforeAll", examples)
    .action(async (path: string, { measured, dataset }: { measured?: string; dataset?: string }) => {
      const run = await RunFolder.open(path);
      const kind = await run.kind();
      refuseFlags(kind, { measured });
      if (measured !== undefined) await addMeasured(run, measured, dataset);
      const written = kind === "classify" ? writeClassifierReport(run) : writeRunReport(context, run);
      context.stdout.write(`${await written}\n`);
    });
}
