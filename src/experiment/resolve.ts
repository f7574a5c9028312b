/**
 * From the experiment a person wrote to the plain numbers the engine takes.
 *
 * `resolveExperiment` replaces every `"auto"`, checks what only shows between fields (times against the time step, sizes
 * against the recording), and returns both the experiment as it will be kept in the run folder and the `RlsSpec`.
 * Resolving a resolved experiment gives the same again: that is how a run is rebuilt.
 */
import { exitCode, UserError } from "../base/errors.ts";
import type { Recording } from "../data/recording.ts";
import type { RlsSpec, TrialTiming } from "../learning/rls/spec.ts";
import { builtInModels } from "../model/built-in.ts";
import { drawSubset } from "../random/draws.ts";
import { resolveConstant } from "./constants.ts";
import { type Experiment, standardConstants } from "./schema.ts";
import type { Constant } from "./schema-words.ts";

/** An experiment without any "auto". */
export type ResolvedExperiment = Experiment & { readonly neurons: number; readonly copies: number };

export interface Resolved {
  readonly experiment: ResolvedExperiment;
  readonly spec: RlsSpec;
  /** The recording, reduced to the neurons that the network holds. */
  readonly recording: Recording | null;
  /** What a person should know about decisions made here. */
  readonly notes: readonly string[];
}

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
}

const defaultNeurons = 4096;
/** A recording of fewer neurons is followed by several model neurons each, unless the experiment says otherwise. */
const smallestNetwork = 512;

/** Network size from the recording, or the recording cut to the network. */
function resolveSize(
  experiment: Experiment,
  recording: Recording | null,
): { neurons: number; copies: number; recording: Recording | null; notes: string[] } {
  const { plastic } = experiment;
  if (recording === null) {
    const copies = experiment.copies === "auto" ? 1 : experiment.copies;
    if (copies !== 1) refuse(`copies is ${copies}, but sinusoids belong to no recorded neuron; leave copies out`);
    return {
      neurons: experiment.neurons === "auto" ? defaultNeurons : experiment.neurons,
      copies,
      recording,
      notes: [],
    };
  }
  const recorded = recording.neurons;
  const enlarge = experiment.copies === "auto" && experiment.neurons === "auto" && plastic.trained === "all";
  let copies = experiment.copies === "auto" ? (enlarge ? Math.ceil(smallestNetwork / recorded) : 1) : experiment.copies;
  const neurons = experiment.neurons === "auto" ? recorded * copies : experiment.neurons;
  if (plastic.trained !== "all") {
    const trained =
      "indices" in plastic.trained ? plastic.trained.indices.length : Math.round(plastic.trained.fraction * neurons);
    if (trained === recorded * copies) return { neurons, copies, recording, notes: [] };
    refuse(
      `plastic.trained selects ${trained} neurons, but the recording holds ${recorded}` +
        `${copies === 1 ? "" : ` and copies is ${copies}`}; every target needs one trained neuron: select ${recorded * copies}`,
    );
  }
  if (neurons === recorded * copies) {
    const notes =
      enlarge && copies > 1
        ? [
            `${copies} model neurons follow each of the ${recorded} recorded ones, for a network that can learn; set copies to choose`,
          ]
        : [];
    return { neurons, copies, recording, notes };
  }
  if (neurons % recorded === 0) {
    copies = neurons / recorded;
    return { neurons, copies, recording, notes: [`${neurons} neurons: ${copies} copies of each recorded neuron`] };
  }
  if (neurons % copies === 0 && neurons / copies < recorded) {
    const kept = drawSubset(experiment.seed, "recorded neurons", recorded, neurons / copies);
    return {
      neurons,
      copies,
      recording: keepNeurons(recording, kept),
      notes: [`${kept.length} of the ${recorded} recorded neurons, chosen at random by the seed`],
    };
  }
  return refuse(
    `neurons is ${neurons}, but the recording holds ${recorded}: give "auto", fewer than ${recorded}, or a multiple of it`,
  );
}

/** The recording of a few of its neurons. */
function keepNeurons(recording: Recording, kept: readonly number[]): Recording {
  const lines = recording.tasks * recording.rows;
  const pick = (values: Float64Array) => {
    const out = new Float64Array(lines * kept.length);
    for (let line = 0; line < lines; line++) {
      for (let k = 0; k < kept.length; k++) out[line * kept.length + k] = values[line * recording.neurons + kept[k]];
    }
    return out;
  };
  return {
    ...recording,
    neurons: kept.length,
    values: pick(recording.values),
    ...(recording.heldOut === undefined ? {} : { heldOut: pick(recording.heldOut) }),
  };
}

/** Whole number of steps in a time, or a message. Floating point: 0.1 ms steps are compared with a tolerance. */
function steps(time: number, dtMs: number, path: string): number {
  const count = time / dtMs;
  if (Math.abs(count - Math.round(count)) > 1e-6 * Math.max(1, count)) {
    const near = Math.max(1, Math.round(count)) * dtMs;
    refuse(
      `${path} is ${time} ms, which is not a whole multiple of the time step timing.dtMs = ${dtMs} ms; ` +
        `use for example ${Number(near.toPrecision(12))}`,
    );
  }
  return Math.round(count);
}

function resolveTiming(experiment: Experiment, recording: Recording | null): TrialTiming {
  const { dtMs, stimulusOnMs, stimulusOffMs } = experiment.timing;
  let { trainMs, learnEveryMs } = experiment.timing;
  const { targets } = experiment;
  if (recording !== null && targets.type === "recording") {
    const interval = targets.intervalMs ?? recording.intervalMs;
    if (learnEveryMs === "auto") {
      learnEveryMs =
        interval ??
        refuse(
          `${targets.file} does not say how much time lies between its ${recording.rows} rows; ` +
            "give targets.intervalMs, for example 20",
        );
    } else if (interval !== undefined && interval !== learnEveryMs) {
      refuse(
        `timing.learnEveryMs is ${learnEveryMs} ms, but the rows of the recording are ${interval} ms apart; ` +
          "leave learnEveryMs out: the weights learn once per row",
      );
    }
    const rowsMs = Number((recording.rows * learnEveryMs).toPrecision(12));
    if (trainMs === "auto") trainMs = rowsMs;
    if (Math.abs(trainMs - rowsMs) > 1e-6) {
      refuse(
        `timing.trainMs is ${trainMs} ms, but the recording has ${recording.rows} rows of ${learnEveryMs} ms = ${rowsMs} ms; ` +
          "leave trainMs out",
      );
    }
  }
  if (trainMs === "auto") trainMs = 1000;
  if (learnEveryMs === "auto") learnEveryMs = 10;
  steps(stimulusOnMs, dtMs, "timing.stimulusOnMs");
  steps(stimulusOffMs, dtMs, "timing.stimulusOffMs");
  if (stimulusOnMs > stimulusOffMs) {
    refuse(
      `timing.stimulusOnMs is ${stimulusOnMs} ms, after timing.stimulusOffMs = ${stimulusOffMs} ms; it must not be later`,
    );
  }
  const trainSteps = steps(trainMs, dtMs, "timing.trainMs");
  const learnSteps = steps(learnEveryMs, dtMs, "timing.learnEveryMs");
  if (trainSteps % learnSteps !== 0) {
    refuse(
      `timing.trainMs is ${trainMs} ms, which is not a whole multiple of timing.learnEveryMs = ${learnEveryMs} ms; ` +
        `use for example ${Number((Math.max(1, Math.round(trainSteps / learnSteps)) * learnEveryMs).toPrecision(12))}`,
    );
  }
  const offsetSteps = steps(stimulusOffMs, dtMs, "timing.stimulusOffMs");
  if (offsetSteps % learnSteps !== 0) {
    refuse(
      `timing.stimulusOffMs is ${stimulusOffMs} ms, which is not a whole multiple of timing.learnEveryMs = ${learnEveryMs} ms; ` +
        `use for example ${Number((Math.max(1, Math.round(offsetSteps / learnSteps)) * learnEveryMs).toPrecision(12))}`,
    );
  }
  return { dtMs, stimulusOnMs, stimulusOffMs, trainMs, learnEveryMs };
}

/** K of the static network: half the out-degree. */
function resolveK(experiment: Experiment, neurons: number, excitatory: number): number {
  const net = experiment.static;
  if (net === null) return 0;
  const K = net.K === "auto" ? Math.round(excitatory * net.probability) : net.K;
  if (K < 1) {
    refuse(
      `static.probability = ${net.probability} of ${excitatory} excitatory neurons gives K = 0; ` +
        "raise it, or set static to null for a network without static synapses",
    );
  }
  if (2 * K > neurons - 1) {
    refuse(
      `static.K is ${K}: each neuron would project to 2K = ${2 * K} others, but there are only ${neurons - 1}; ` +
        `use at most ${Math.floor((neurons - 1) / 2)}`,
    );
  }
  return K;
}

function resolveInputs(experiment: Experiment, K: number, neurons: number, excitatory: number): number {
  const { plastic } = experiment;
  if (plastic.inputsPerType === "auto" && K === 0) {
    refuse(
      'plastic.inputsPerType is "auto" = round(2 sqrt(K)), but there is no static network; give a number, for example 64',
    );
  }
  const L = plastic.inputsPerType === "auto" ? Math.max(1, Math.round(2 * Math.sqrt(K))) : plastic.inputsPerType;
  const smaller = Math.min(excitatory, neurons - excitatory);
  const pool = Math.floor(smaller * plastic.activeFraction);
  if (L > pool) {
    refuse(
      `plastic.inputsPerType is ${L}, but only ${pool} ${excitatory <= neurons - excitatory ? "excitatory" : "inhibitory"} ` +
        `neurons can be presynaptic; use at most ${pool}${pool === 0 ? ", or change excitatoryFraction" : ""}`,
    );
  }
  return L;
}

/** @param recording the target data when `targets.type` is "recording", else null. */
export function resolveExperiment(given: Experiment, recording: Recording | null): Resolved {
  if ((given.targets.type === "recording") !== (recording !== null)) {
    throw new Error("resolveExperiment: a recording is needed exactly when the targets are one");
  }
  const timing = resolveTiming(given, recording);
  const size = resolveSize(given, recording);
  const { neurons, copies } = size;
  const excitatory = Math.floor(neurons * given.excitatoryFraction);
  const K = resolveK(given, neurons, excitatory);
  const inputsPerType = resolveInputs(given, K, neurons, excitatory);
  const { feedforward, learning, plastic } = given;
  const inputs = 2 * inputsPerType + (feedforward?.size ?? 0);
  if (learning.window > 0 && learning.block > 1) {
    refuse(
      `learning.window = ${learning.window} and learning.block = ${learning.block} exclude each other; set one of them to its default`,
    );
  }
  if (learning.window > 0 && learning.forgetting !== 1) {
    refuse(
      `learning.window = ${learning.window} keeps no P that learning.forgetting = ${learning.forgetting} could act on; ` +
        "set one of them to its default",
    );
  }
  if (plastic.trained !== "all" && "indices" in plastic.trained) checkIndices(plastic.trained.indices, neurons);

  const each = (value: Constant, path: string, standard?: number, count = neurons) =>
    resolveConstant(value, path, count, given.seed, standard);
  const trainedCount =
    plastic.trained === "all"
      ? neurons
      : "indices" in plastic.trained
        ? plastic.trained.indices.length
        : Math.round(plastic.trained.fraction * neurons);
  if (trainedCount === 0) refuse(`plastic.trained selects none of the ${neurons} neurons; raise the fraction`);

  const jx = given.static === null ? 0 : given.static.jxFactor * given.static.g * Math.sqrt(K);
  const drive =
    given.drive === "auto"
      ? { excitatory: 1.5 * jx, inhibitory: jx }
      : {
          excitatory: each(given.drive.excitatory, "drive.excitatory", undefined, excitatory),
          inhibitory: each(given.drive.inhibitory, "drive.inhibitory", undefined, neurons - excitatory),
        };
  const spec: RlsSpec = {
    seed: given.seed,
    neurons,
    excitatory,
    timing,
    model: {
      type: given.model.type,
      parameters: Object.fromEntries(
        Object.entries(given.model.parameters).map(([name, value]) => [
          name,
          each(value, `model.parameters.${name}`, builtInModels[given.model.type]?.parameters[name]?.default),
        ]),
      ),
    },
    synapses: {
      tauExcMs: each(given.synapses.tauExcMs, "synapses.tauExcMs", standardConstants.tauExcMs),
      tauInhMs: each(given.synapses.tauInhMs, "synapses.tauInhMs", standardConstants.tauInhMs),
      tauPlasticMs: each(given.synapses.tauPlasticMs, "synapses.tauPlasticMs", standardConstants.tauPlasticMs),
    },
    drive,
    static:
      given.static === null
        ? null
        : {
            K,
            g: given.static.g,
            weights: given.static.weights,
            ...(given.static.rule ? { rule: given.static.rule } : {}),
          },
    plastic: { ...plastic, inputsPerType },
    feedforward,
    noise: { model: given.noise.model, sigma: each(given.noise.sigma, "noise.sigma") },
    stimulus: given.stimulus,
    tasks: given.targets.type === "sinusoids" ? given.targets.tasks : (size.recording as Recording).tasks,
    learning: {
      ...learning,
      lambda: each(learning.lambda, "learning.lambda", standardConstants.lambda, trainedCount),
      maxWeight: learning.maxWeight ?? Number.POSITIVE_INFINITY,
    },
    correlationWindowMs: given.correlationWindowMs,
  };
  const notes = [...(recording?.notes ?? []), ...size.notes];
  if (inputs > neurons) notes.push(`${inputs} plastic inputs per neuron are more than there are neurons (${neurons})`);
  if (K > 0 && 2 * K > 0.2 * neurons) {
    notes.push(
      `2K = ${2 * K} of ${neurons} neurons: small dense networks synchronise and learn poorly; lower static.K or use noise`,
    );
  }
  const experiment: ResolvedExperiment = {
    ...given,
    neurons,
    copies,
    timing,
    static: given.static === null ? null : { ...given.static, K },
    plastic: { ...plastic, inputsPerType },
  };
  return { experiment, spec, recording: size.recording, notes };
}

function checkIndices(indices: readonly number[], neurons: number): void {
  const outside = indices.find((index) => index >= neurons);
  if (outside !== undefined)
    refuse(`plastic.trained.indices holds ${outside}, but neurons are numbered 0 to ${neurons - 1}`);
  if (new Set(indices).size !== indices.length) refuse("plastic.trained.indices names a neuron twice; name each once");
}
