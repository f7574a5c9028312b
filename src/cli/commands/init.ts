/** `volley init`: what a classifier would do before any training. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { exitCode, UserError } from "../../base/errors.ts";
import { parseClassify } from "../../experiment/classify/schema.ts";
import { kindOf } from "../../experiment/kind.ts";
import { loadExperiment } from "../../experiment/load-experiment.ts";
import type { InitialReport } from "../../report/initialisation/start.ts";
import { initialReport } from "../classify/initial.ts";
import { openSession } from "../classify/session.ts";
import type { Context } from "../context.ts";
import { applyClassifierFlags, setOption } from "../experiment-flags.ts";
import { Progress } from "../progress.ts";
import { shortPath, wholeNumber } from "../session.ts";
import { jsonLine } from "../talk.ts";

interface Flags {
  readonly set?: string[];
  readonly data?: string;
  readonly seed?: number;
  readonly threads?: number;
  readonly json?: boolean;
  readonly report?: string | true;
}

const examples = `Examples:
  volley init digits
  volley init digits --set network.initialisation.weights='{"type":"kaiming"}'
  volley init my-experiment.json --report start.html
  volley init shd --data shd_train.h5.gz --set network.initialisation.exact=true --json

`;

const explanation = `
sigma is the standard deviation over time of the free membrane (the neuron kept from spiking), in thresholds: aimed at by
the rule, implied by the weights for independent Poisson spikes at the measured rates, and measured. xi is the distance
from its mean to the threshold in sigmas; 1 to 3 is driven by fluctuations, more is silent. The spread is that of the means
of the neurons. docs/initialization.md explains them.`;

export function addInit(program: Command, context: Context): void {
  program
    .command("init")
    .summary("show what a classifier would do before any training")
    .description(
      "Draws the initial weights of an experiment, runs some training samples and says what every layer does.",
    )
    .argument("<experiment>", "a preset, or a file .json, .js, .mjs, .ts")
    .addOption(setOption("change one setting"))
    .option("--data <file>", "training samples, in place of those of the experiment")
    .option("--seed <n>", "seed of all random numbers", wholeNumber("--seed", 0))
    .option("--threads <n>", "worker threads (default: one per core)", wholeNumber("--threads", 1))
    .option("--report [file]", "write a page with histograms of the membranes (default: initial.html)")
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("beforeAll", examples)
    .addHelpText("after", explanation)
    .action((experiment: string, flags: Flags) => init(context, experiment, flags));
}

async function init(context: Context, given: string, flags: Flags): Promise<void> {
  const progress = new Progress(context);
  const loaded = await loadExperiment(given);
  if (kindOf(loaded.value, loaded.source) !== "classify") {
    throw new UserError(
      `${loaded.source} follows a recording; volley init looks at classifiers, such as the preset digits`,
      exitCode.usage,
    );
  }
  const experiment = parseClassify(applyClassifierFlags(loaded.value, flags), loaded.source);
  const session = await openSession(progress, experiment, { threads: flags.threads, fast: false });
  try {
    const report = await initialReport(session);
    progress.finish();
    if (flags.report !== undefined) {
      const path = flags.report === true ? "initial.html" : flags.report;
      await writePage(path, experiment.name, report);
      progress.say(`report: ${shortPath(resolve(path))}`);
    }
    context.stdout.write(flags.json ? jsonLine(plain(report)) : startLines(report));
  } finally {
    await session.close();
  }
}

async function writePage(path: string, title: string, report: InitialReport): Promise<void> {
  const { renderStart } = await import("../../report/initialisation/start.ts");
  const { Numbering } = await import("../../report/sections/figure.ts");
  try {
    await writeFile(path, renderStart(title, report, new Numbering()));
  } catch (cause) {
    throw new UserError(`the report cannot be written to ${path}: ${(cause as Error).message}`, exitCode.io, { cause });
  }
}

/** Without the values of the membranes; JSON has no infinity. */
function plain({ start, ...rest }: InitialReport) {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    ...rest,
    start: {
      ...start,
      layers: start.layers.map(({ values: _, implied, measured, ...layer }) => ({
        ...layer,
        implied: { ...implied, xi: finite(implied.xi) },
        measured: { ...measured, xi: finite(measured.xi) },
      })),
    },
  };
}

const shown = (value: number): string =>
  !Number.isFinite(value)
    ? "-"
    : value !== 0 && Math.abs(value) < 1e-3
      ? value.toExponential(1)
      : String(Number(value.toPrecision(3)));

function startLines({ start, gradients, homeostasis }: InitialReport): string {
  const header = [
    "layer",
    "neurons",
    "rule",
    "rate Hz",
    "silent",
    "sigma aim",
    "implied",
    "measured",
    "xi",
    "mean",
    "spread",
    "independent",
    "gradient",
  ];
  const rows = start.layers.map((layer, l) => [
    layer.name,
    String(layer.neurons),
    [...new Set(layer.rules)].join("+"),
    shown(layer.rateHz),
    `${(100 * layer.silentShare).toFixed(0)} %`,
    layer.aim === null ? "-" : shown(layer.aim.sigma),
    shown(layer.implied.sigma),
    shown(layer.measured.sigma),
    shown(layer.measured.xi),
    shown(layer.measured.mean),
    shown(layer.measured.spread),
    shown(layer.implied.independentSpread),
    gradients === null ? "-" : shown(gradients.byLayer[l]),
  ]);
  const widths = header.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c].length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (c === 0 || c === 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join("  ")
      .trimEnd();
  const phase =
    homeostasis === null
      ? []
      : [
          `homeostasis by ${homeostasis.by}: ${homeostasis.course.length - 1} changes, bounds ${homeostasis.reached ? "" : "not "}reached`,
        ];
  return `${[
    `before training, in ${start.samples} training samples; a channel of the input fires at ${shown(start.inputHz)} Hz on average`,
    ...phase,
    line(header),
    ...rows.map(line),
    ...(gradients === null ? [] : [`loss of the first batch ${shown(gradients.loss)} per sample`]),
  ].join("\n")}\n`;
}
