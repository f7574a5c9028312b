/** What a process of a sweep does: one cell, trained or taken up again by the commands that everybody uses. */

import { listFolder } from "../../experiment/file-system.ts";
import { RunFolder } from "../../experiment/run-folder.ts";
import { resumeClassifier } from "../classify/train.ts";
import { resume } from "../commands/resume.ts";
import { train } from "../commands/train.ts";
import type { Context } from "../context.ts";

/** A sweep that is gone cannot stop its cells any more: they stop themselves, and keep their state. */
function stopWithParent(): void {
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
}

/**
 * @param experiment file of the experiment. @param out folder of the run, which may have been begun
 */
export async function runCell(context: Context, experiment: string, out: string): Promise<void> {
  stopWithParent();
  const flags = { threads: 1, json: true, report: true };
  if ((await listFolder(out)).includes("experiment.json")) {
    const own: Context = { ...context, command: ["volley", "resume", out, "--threads", "1"] };
    const kind = await (await RunFolder.open(out)).kind();
    return kind === "classify" ? resumeClassifier(own, out, flags) : resume(own, out, flags);
  }
  const command = ["volley", "train", experiment, "--threads", "1", "--out", out];
  return train({ ...context, command }, experiment, { ...flags, out, p: true });
}
