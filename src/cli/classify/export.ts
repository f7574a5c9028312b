/** What `volley export` writes of a classifier. */
import type { Outcome } from "../../experiment/classify/outcome.ts";
import type { RunFolder } from "../../experiment/run-folder.ts";
import { isShared, sourceSize } from "../../learning/gradient/spec.ts";
import { type ExportArrays, jsonArray } from "../arrays-file.ts";
import type { Progress } from "../progress.ts";
import { openTrained } from "./session.ts";

/** Names as identifiers: MATLAB and attribute access in numpy like them. */
const plain = (name: string): string => name.replace(/\W+/g, "_");

export async function collectClassifier(progress: Progress, run: RunFolder): Promise<ExportArrays> {
  const { trained, trainer } = await openTrained(progress, run, "last", 1);
  try {
    const { network } = trainer;
    const { weights, bias, constants } = trainer.values();
    const arrays: ExportArrays = { experiment_json: jsonArray(trained.experiment) };
    for (const [k, projection] of network.projections.entries()) {
      const name = plain(projection.name);
      const { connectivity } = projection;
      const shape =
        connectivity === "dense"
          ? [sourceSize(network, projection), network.populations[projection.target].size]
          : isShared(connectivity)
            ? [connectivity.rows, connectivity.width]
            : [weights[k].length];
      arrays[`weights_${name}`] = { data: weights[k], shape };
      if (projection.gain !== undefined)
        arrays[`gain_${name}`] = { data: Float64Array.of(projection.gain), shape: [1] };
      const { sources } = projection;
      if (sources !== undefined)
        arrays[`sources_${name}`] = { data: Float64Array.of(sources.from, sources.to), shape: [2] };
      if (connectivity === "dense") continue;
      const tables = isShared(connectivity)
        ? { offsets: connectivity.offsets, rows: connectivity.weightRows, targets: connectivity.firstTargets }
        : { offsets: connectivity.offsets, targets: connectivity.targets };
      for (const [table, data] of Object.entries(tables)) {
        arrays[`${table}_${name}`] = { data, shape: [data.length] };
      }
    }
    for (const [p, { name, size }] of network.populations.entries()) {
      const own = bias[p];
      if (own !== null) arrays[`bias_${plain(name)}`] = { data: own, shape: [size] };
      for (const [parameter, data] of Object.entries(constants[p])) {
        arrays[`${plain(name)}_${plain(parameter)}`] = { data, shape: [size] };
      }
    }
    const outcome = await run.readResult<Outcome>("outcome.json");
    for (const [set, confusion] of Object.entries(outcome?.confusion ?? {})) {
      if (confusion === null) continue;
      const classes = Math.round(Math.sqrt(confusion.counts.length));
      arrays[`confusion_${set}`] = { data: confusion.counts, shape: [classes, classes] };
    }
    return arrays;
  } finally {
    await trainer.close();
  }
}
