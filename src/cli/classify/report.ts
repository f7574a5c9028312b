/** report.html of a classifier's run, from what is in its folder. */
import { readMeasured } from "../../data/measured-constants.ts";
import { healthOf } from "../../experiment/classify/health.ts";
import type { Learned, Outcome } from "../../experiment/classify/outcome.ts";
import { type ClassifyExperiment, isSpiking } from "../../experiment/classify/schema.ts";
import { type DataSummary, encoderOf } from "../../experiment/classify/summary.ts";
import { neuronLayers } from "../../experiment/classify/views.ts";
import { readConstantsFile } from "../../experiment/constants-file.ts";
import type { RunFolder } from "../../experiment/run-folder.ts";
import type { ClassificationReportInput, NetworkSummary } from "../../report/classification/input.ts";
import type { InitialReport } from "../../report/initialisation/start.ts";
import { environmentTable } from "../session.ts";
import { modelName, ruleText } from "./session.ts";

function summarise(experiment: ClassifyExperiment, inputs: number, learned: Learned | undefined): NetworkSummary {
  const { layers, readout, dtMs } = experiment.network;
  const populations = [...layers.filter(isSpiking), readout];
  // In a layer with places a constant belongs to a filter.
  const different = (of: (typeof populations)[number]) => ("filters" in of ? of.filters : (of.neurons as number));
  const biases = populations.reduce((sum, of) => sum + (of.bias ? different(of) : 0), 0);
  const constants = populations.reduce(
    (sum, of) => sum + Object.values(of.trainable).reduce((own, { shared }) => own + (shared ? 1 : different(of)), 0),
    0,
  );
  const weights = learned?.weights.reduce((sum, { synapses }) => sum + synapses, 0) ?? 0;
  return {
    rule: ruleText(experiment),
    dtMs,
    inputs,
    layers: neuronLayers(layers).map(({ name, neurons, model }) => ({ name, size: neurons, model: modelName(model) })),
    readout: { size: readout.neurons as number, model: modelName(readout.model.type) },
    trainedNumbers: weights + biases + constants,
  };
}

const settingsOf = ({ network }: ClassifyExperiment, layer: string) =>
  layer === "readout" ? network.readout : network.layers.filter(isSpiking).find((one) => one.name === layer);

/** A constant that all neurons of a layer share is shown once. */
const isShared = (experiment: ClassifyExperiment, layer: string, name: string): boolean =>
  settingsOf(experiment, layer)?.trainable[name]?.shared ?? false;

const isGiven = (experiment: ClassifyExperiment, layer: string, name: string): boolean =>
  Array.isArray(settingsOf(experiment, layer)?.model.parameters[name]);

export async function reportInput(run: RunFolder): Promise<ClassificationReportInput> {
  const experiment = await run.classifyExperiment();
  const epochs = await run.epochs();
  const data = await run.readResult<DataSummary>("data.json");
  const before = await run.readResult<Learned>("before.json");
  const outcome = await run.readResult<Outcome>("outcome.json");
  const initial = await run.readResult<InitialReport>("initial.json");
  const measured = await run.readResult<NonNullable<ClassificationReportInput["measured"]>>("measured.json");
  const peak = await run.readResult<{ readonly bytes: number }>("peak.json");
  const after = outcome?.after;
  const seconds = (of: (split: (typeof epochs)[number]["split"]) => number) =>
    epochs.reduce((sum, { split }) => sum + of(split), 0);
  const total = epochs.reduce((sum, report) => sum + report.seconds, 0);
  const [waiting, validation] = [seconds((split) => split.data), seconds((split) => split.validation)];
  return {
    title: experiment.name,
    experiment,
    environment: { ...environmentTable(await run.environment()), seed: experiment.seed },
    network: summarise(experiment, data === undefined ? 0 : encoderOf(experiment, data.info).channels, before ?? after),
    classNames: data?.classNames ?? [],
    epochs,
    final: outcome === undefined ? null : { last: outcome.last, best: outcome.best },
    confusion: outcome?.confusion ?? { validation: null, test: null },
    trials: outcome?.trials ?? [],
    rates: (after?.ratesHz ?? []).map((own, i) => ({ before: before?.ratesHz[i] ?? null, after: own })),
    parameters: (after?.constants ?? []).map(({ layer, name, unit, values }) => {
      const start = before?.constants.find((one) => one.layer === layer && one.name === name)?.values ?? values;
      const shown = (all: Float32Array) => (isShared(experiment, layer, name) ? all.slice(0, 1) : all);
      return { layer, name, unit, before: shown(start), after: shown(values) };
    }),
    fixed: (after?.fixed ?? []).map(({ layer, name, unit, values }) => ({
      layer,
      name,
      unit,
      origin: isGiven(experiment, layer, name) ? "given" : "drawn",
      values,
    })),
    ...(measured === undefined ? {} : { measured }),
    ...(initial === undefined ? {} : { initial }),
    weights: (after?.weights ?? []).map(({ name, synapses, values }) => ({
      name,
      synapses,
      before: before?.weights.find((one) => one.name === name)?.values ?? values,
      after: values,
    })),
    health: healthOf(epochs, experiment),
    notes: (await run.readResult<string[]>("notes.json")) ?? [],
    timings: {
      secondsTotal: total,
      parts: [
        { name: "learning", seconds: Math.max(0, total - waiting - validation) },
        { name: "waiting for samples", seconds: waiting },
        { name: "validation", seconds: validation },
      ],
      peakBytes: peak?.bytes ?? null,
    },
  };
}

/** Keeps measured time constants in the run, so that its report shows them from now on. */
export async function addMeasured(run: RunFolder, path: string, dataset: string | undefined): Promise<void> {
  const { name, bytes } = await readConstantsFile(path, "--measured");
  await run.writeResult("measured.json", { source: name, groups: await readMeasured(bytes, name, dataset) });
}

/** Returns the path of the report. */
export async function writeClassifierReport(run: RunFolder): Promise<string> {
  const { renderClassificationReport } = await import("../../report/classification/report.node.ts");
  return run.writeReport(renderClassificationReport(await reportInput(run)));
}
