/** `volley export`: the trained network in files that Python, Julia and MATLAB read. */
import { rename, rm, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { exitCode, UserError } from "../../base/errors.ts";
import { writeNpz } from "../../data/formats/npz.ts";
import { writeFailed } from "../../experiment/file-system.ts";
import { RunFolder } from "../../experiment/run-folder.ts";
import type { RlsTrainer } from "../../experiment/trainer-contract.ts";
import { restoreNewest } from "../../experiment/training.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { createTrainer, type Prepared, prepare } from "../session.ts";

type ExportArray = {
  readonly data: Float32Array | Float64Array | Uint32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
};
type ExportArrays = Record<string, ExportArray>;

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
raster_steps_k and raster_neurons_k: spikes of the first test trial of task k; test_correlation, test_rate_hz [n].`;

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

/** The experiment travels along as text: in numpy `json.loads(bytes(a["experiment_json"]))`. */
function jsonArray(value: unknown): ExportArray {
  const data = new TextEncoder().encode(JSON.stringify(value));
  return { data, shape: [data.length] };
}

async function writeNpzFile(path: string, arrays: ExportArrays): Promise<void> {
  const bytes = Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
  // The zip is made in memory and its container counts with 32 bits.
  if (bytes > 2 ** 31) {
    throw new UserError("this network is too large for npz (2 GB); use --to hdf5", exitCode.unavailable);
  }
  const partial = `${path}.partial`;
  try {
    await writeFile(partial, writeNpz(arrays));
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    throw writeFailed(path, cause);
  }
}

async function writeHdf5File(path: string, arrays: ExportArrays): Promise<void> {
  const { default: h5wasm, File, ready } = await import("h5wasm/node");
  const module = await ready;
  void h5wasm;
  module.activate_throwing_error_handler();
  const partial = `${path}.partial`;
  try {
    const file = new File(partial, "w");
    try {
      for (const [name, { data, shape }] of Object.entries(arrays)) {
        file.create_dataset({ name, data, shape: shape.length === 0 ? [1] : [...shape] });
      }
    } finally {
      file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    const known = writeFailed(path, cause);
    throw known === cause
      ? new UserError(`cannot write ${path}: ${(cause as Error).message}`, exitCode.io, { cause })
      : known;
  }
}

async function exportRun(context: Context, path: string, flags: ExportFlags): Promise<void> {
  const progress = new Progress(context);
  const run = await RunFolder.open(path);
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
    const out = flags.out ?? run.file(flags.to === "npz" ? "network.npz" : "network.h5");
    const arrays = await collectArrays(run, prepared, trainer);
    await (flags.to === "npz" ? writeNpzFile(out, arrays) : writeHdf5File(out, arrays));
    context.stdout.write(`${out}\n`);
  } finally {
    await trainer.close();
  }
}
