/** `volley doctor`: what this machine offers and what would run on it. */
import { availableParallelism, cpus, totalmem } from "node:os";
import type { Command } from "commander";
import { exitCode, UserError } from "../../base/errors.ts";
import { volleyVersion } from "../../experiment/environment.ts";
import { availableMemory } from "../../experiment/memory.ts";
import { formatBytes, largestThatFits } from "../../experiment/memory-guard.ts";
import { presets } from "../../experiment/presets.ts";
import { resolveExperiment } from "../../experiment/resolve.ts";
import { type Experiment, parseExperiment } from "../../experiment/schema.ts";
import type { Engine } from "../../experiment/trainer-contract.ts";
import type { Context } from "../context.ts";
import { runtimeFeatures } from "../features.ts";
import { jsonLine } from "../talk.ts";

export function addDoctor(program: Command, context: Context): void {
  program
    .command("doctor")
    .summary("show what this machine offers and what would run on it")
    .description("Shows processor, SIMD, threads and memory, and how each preset would fit.")
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("beforeAll", "Example:\n  volley doctor\n\n")
    .action((flags: { json?: boolean }) => doctor(context, flags.json ?? false));
}

interface Fit {
  readonly preset: string;
  readonly needBytes: number | null;
  /** When it does not fit: the largest network of this kind that does. */
  readonly largestNeurons: number | null;
  /** Why it cannot run at all. */
  readonly fault: string | null;
}

async function fitOf(context: Context, engine: Engine, name: string, available: number): Promise<Fit> {
  try {
    const experiment = parseExperiment(presets[name].experiment, `preset "${name}"`);
    const recording = experiment.targets.type === "recording" ? await context.readRecording(experiment.targets) : null;
    const options = { threads: availableParallelism(), fast: false };
    const estimate = async (given: Experiment) =>
      (await engine.estimateMemory(resolveExperiment(given, recording).spec, options)).total;
    const needBytes = await estimate(experiment);
    const { neurons } = resolveExperiment(experiment, recording).spec;
    const plan = { size: neurons, estimate: (size: number) => estimate({ ...experiment, neurons: size }) };
    const largestNeurons = needBytes <= available ? null : await largestThatFits(plan, available);
    return { preset: name, needBytes, largestNeurons, fault: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { preset: name, needBytes: null, largestNeurons: null, fault: error.message };
  }
}

function fitText({ needBytes, largestNeurons, fault }: Fit): string {
  if (needBytes === null) return `cannot run: ${fault}`;
  const need = formatBytes(needBytes).padStart(8);
  return largestNeurons === null ? `${need}  fits` : `${need}  does not fit; --neurons ${largestNeurons} would`;
}

async function doctor(context: Context, json: boolean): Promise<void> {
  const features = runtimeFeatures();
  const available = availableMemory();
  const engine = await context.engine();
  const fits: Fit[] = [];
  for (const name of Object.keys(presets)) fits.push(await fitOf(context, engine, name, available));
  const cores = availableParallelism();
  const cpu = cpus()[0]?.model.trim() ?? "unknown";
  if (json) {
    const memory = { totalBytes: totalmem(), availableBytes: available };
    context.stdout.write(
      jsonLine({ volley: volleyVersion(), node: process.version, cpu, cores, ...features, memory, fits }),
    );
  } else {
    const yes = (value: boolean) => (value ? "yes" : "no");
    const lines = [
      `volley ${volleyVersion()} on Node ${process.versions.node}`,
      `  processor      ${cpu}`,
      `  threads        ${cores}: one worker each unless --threads says otherwise`,
      `  SIMD           ${yes(features.simd)}`,
      `  relaxed SIMD   ${yes(features.relaxedSimd)}${features.relaxedSimd ? ": --fast uses it" : ": --fast changes nothing here; Node 22 and newer have it"}`,
      `  shared memory  ${yes(features.sharedMemory)}`,
      `  memory         ${formatBytes(available)} available of ${formatBytes(totalmem())}`,
      "  presets",
      ...fits.map((fit) => `    ${fit.preset.padEnd(12)} ${fitText(fit)}`),
    ];
    context.stdout.write(`${lines.join("\n")}\n`);
  }
  if (!features.simd) {
    throw new UserError(
      `this runtime (${process.version}) has no WebAssembly SIMD; use Node 20.19 or newer`,
      exitCode.unavailable,
    );
  }
}
