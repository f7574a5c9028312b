/** `volley export`: the trained network in files that Python, Julia and MATLAB read. */
import { type Command, Option } from "commander";
import { exitCode, UserError } from "../../base/errors.ts";
import { RunFolder } from "../../experiment/run-folder.ts";
import type { RlsTrainer } from "../../experiment/trainer-contract.ts";
import { restoreNewest } from "../../experiment/training.ts";
import { type ExportArrays, jsonArray, writeArrays } from "../arrays-file.ts";
import { collectClassifier } from "../classify/export.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { createTrainer, type Prepared, prepare } from "../session.ts";

interface ExportFlags {
  readonly to: "npz" | "hdf5";
  readonly out?: string;
}

const examples = `Examples:
  volley export runs/alm --to npz               numpy.load("runs/alm/network.npz")
  volley export runs/alm --to hdf5 --out alm.h5

`;

const contents = `
Arrays: trained [n] indices of the trained neurons; presynaptic [n, M] sources of their plastic inputs;
weights [n, M]; excitatory: how many neurons, the first ones, are excitatory; targets [task, row, neuron];
raster_steps_k and raster_neurons_k: spikes of the first test trial of task k; test_correlation, test_rate_hz [n].
Of a classifier: weights_NAME [source, target] of each projection, or with offsets_NAME and targets_NAME the rows of a
sparse one; bias_LAYER and LAYER_PARAMETER [neuron] where they are learned; confusion_test and confusion_validation.`;

export function addExport(program: Command, context: Context): void {
  program
    .command("export")
    .summary("write connectivity, weights, targets and spikes as npz or HDF5")
    .description("Writes the trained network for analysis elsewhere. Prints the path of the file.")
    .argument("<run>", "the folder of the run")
    .addOption(new Option("--to <format>", "file format").choices(["npz", "hdf5"]).default("npz"))
    .option("--out <file>", "where to (default: network.npz or network.h5 in the run)")
    .addHelpText("beforeAll", examples)
    .addHelpText("after", contents)
    .action((run: string, flags: ExportFlags) => exportRun(context, run, flags));
}

async function collectArrays(run: RunFolder, prepared: Prepared, trainer: RlsTrainer): Promise<ExportArrays> {
  const { trained, presynaptic, inputs } = await trainer.connectivity();
  const shape = [trained.length, inputs];
  const arrays: ExportArrays = {
    trained: { data: trained, shape: [trained.length] },
    presynaptic: { data: presynaptic, shape },
    weights: { data: await trainer.weights(), shape },
    excitatory: { data: Uint32Array.of(prepared.spec.excitatory), shape: [] },
    experiment_json: jsonArray(prepared.experiment),
  };
  const { recording } = prepared;
  if (recording !== null) {
    arrays.targets = { data: recording.values, shape: [recording.tasks, recording.rows, recording.neurons] };
  }
  const test = await run.test();
  if (test !== undefined) {
    arrays.test_correlation = { data: test.perNeuron.correlation, shape: [test.perNeuron.correlation.length] };
    arrays.test_rate_hz = { data: test.perNeuron.rateHz, shape: [test.perNeuron.rateHz.length] };
    test.raster.forEach(({ steps, neurons }, task) => {
      arrays[`raster_steps_${task + 1}`] = { data: steps, shape: [steps.length] };
      arrays[`raster_neurons_${task + 1}`] = { data: neurons, shape: [neurons.length] };
    });
  }
  return arrays;
}

async function exportRun(context: Context, path: string, flags: ExportFlags): Promise<void> {
  const progress = new Progress(context);
  const run = await RunFolder.open(path);
  const out = flags.out ?? run.file(flags.to === "npz" ? "network.npz" : "network.h5");
  if ((await run.kind()) === "classify") {
    await writeArrays(out, flags.to, await collectClassifier(progress, run));
    context.stdout.write(`${out}\n`);
    return;
  }
  const environment = await run.environment();
  const prepared = await prepare(context, progress, await run.experiment(), {
    threads: undefined,
    fast: environment?.fast ?? false,
  });
  const trainer = await createTrainer(progress, prepared);
  try {
    const restored = await restoreNewest(run, trainer, {
      fingerprint: prepared.fingerprint,
      onWarning: (message) => progress.warn(message),
      setAside: false,
    });
    if (restored === undefined) {
      throw new UserError(`${path} has no checkpoint yet; train with: volley resume ${path}`, exitCode.noInput);
    }
    const arrays = await collectArrays(run, prepared, trainer);
    await writeArrays(out, flags.to, arrays);
    context.stdout.write(`${out}\n`);
  } finally {
    await trainer.close();
  }
}
