/** `volley report`: renders report.html again from what the run folder holds. */
import type { Command } from "commander";
import { RunFolder } from "../../experiment/run-folder.ts";
import { writeClassifierReport } from "../classify/report.ts";
import type { Context } from "../context.ts";
import { writeRunReport } from "../session.ts";

export function addReport(program: Command, context: Context): void {
  program
    .command("report")
    .summary("write report.html of a run")
    .description("Writes report.html from the files of a run; works while the run is going on. Prints its path.")
    .argument("<run>", "the folder of the run")
    .addHelpText("beforeAll", "Example:\n  volley report runs/alm\n\n")
    .action(async (path: string) => {
      const run = await RunFolder.open(path);
      const written = (await run.kind()) === "classify" ? writeClassifierReport(run) : writeRunReport(context, run);
      context.stdout.write(`${await written}\n`);
    });
}
