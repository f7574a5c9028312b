/** `volley check-gradients`: are the gradients of a neuron model right? */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { didYouMean, exitCode, UserError } from "../../base/errors.ts";
import type { CheckedArray, GradientCheck } from "../../learning/gradient/check-gradients.ts";
import type { Model } from "../../model/define.ts";
import type { Context } from "../context.ts";
import { jsonLine } from "../talk.ts";

interface Flags {
  readonly dt?: number;
  readonly json?: boolean;
}

const examples = `Examples:
  volley check-gradients                      all built-in models and readouts
  volley check-gradients adLIF
  volley check-gradients ./izhikevich.mjs --dt 0.25

`;

const explanation = `
With smooth spikes, the gradient of a small network by every weight and parameter is compared with finite differences,
under every loss. With real spikes, e-prop is compared with its form of traces at every synapse. Differences are relative
to the largest entry of each gradient. Exit code 1: some gradient is wrong.`;

export function addCheckGradients(program: Command, context: Context): void {
  program
    .command("check-gradients")
    .summary("compare the gradients of neuron models with finite differences")
    .description("Checks the derivatives that learning uses: of all built-in models, of one, or of one of your own.")
    .argument("[model]", "a built-in model or readout, or a file that exports a model (default: all built-in ones)")
    .option("--dt <ms>", "time step (default: 1)", timeStep)
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("beforeAll", examples)
    .addHelpText("after", explanation)
    .action((model: string | undefined, flags: Flags) => checkModels(context, model, flags));
}

function timeStep(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UserError(`--dt is "${text}"; it must be a number of ms above 0`);
}

/** What is checked in one network: a model, and the readout behind it. */
interface Pair {
  readonly model: Model;
  readonly readout: Model;
}

async function pairsOf(given: string | undefined): Promise<Pair[]> {
  const { builtInModels, readoutModels } = await import("../../model/built-in.ts");
  const { LIF } = builtInModels;
  const { LI, ...otherReadouts } = readoutModels;
  if (given === undefined) {
    return [
      ...Object.values(builtInModels).map((model) => ({ model, readout: LI })),
      ...Object.values(otherReadouts).map((readout) => ({ model: LIF, readout })),
    ];
  }
  if (Object.hasOwn(readoutModels, given)) return [{ model: LIF, readout: readoutModels[given] }];
  if (Object.hasOwn(builtInModels, given)) return [{ model: builtInModels[given], readout: LI }];
  const { isModuleAddress } = await import("../../model/resolve.ts");
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(given);
  if (!isModuleAddress(given)) {
    const names = [...Object.keys(builtInModels), ...Object.keys(readoutModels)];
    const hint = didYouMean(given, names) || ` — the models are ${names.join(", ")}`;
    throw new UserError(`"${given}" is neither a model nor a file${hint}`, exitCode.noInput);
  }
  if (!isUrl && !existsSync(given)) {
    throw new UserError(`there is no model file ${given}; check the path`, exitCode.noInput);
  }
  const { loadModel } = await import("../../model/load.ts");
  return [{ model: await loadModel(isUrl ? given : pathToFileURL(resolve(given)).href), readout: LI }];
}

async function checkModels(context: Context, given: string | undefined, { dt, json }: Flags): Promise<void> {
  const { checkGradients } = await import("../../learning/gradient/check-gradients.ts");
  const checks: GradientCheck[] = [];
  for (const { model, readout } of await pairsOf(given)) {
    const check = checkGradients(model, { readout, dtMs: dt });
    checks.push(check);
    if (!json) context.stdout.write(checkLines(check));
  }
  const failed = checks.filter(({ passed }) => !passed);
  if (json) context.stdout.write(jsonLine({ passed: failed.length === 0, checks }));
  if (failed.length === 0) return;
  const names = failed.map(({ name }) => name).join(", ");
  throw new UserError(
    `the gradients of ${names} are wrong where it says "differs"; a jump in the equations (select, or a step() of your own) ` +
      "has no derivative, everything else is a fault to be reported",
    exitCode.failed,
  );
}

const shown = (difference: number): string => (difference === 0 ? "0" : difference.toExponential(1));

function checkLines({ name, readout, dtMs, differences, eprop, passed }: GradientCheck): string {
  const rows = [
    ["", "entries", "finite differences", "", "traces (e-prop)", ""],
    ...differences.map((array, a): string[] => [
      array.name,
      String(array.entries),
      shown(array.difference),
      verdictOf(array),
      shown(eprop[a].difference),
      verdictOf(eprop[a]),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ")}`.trimEnd());
  const title = `${name}, readout ${readout}, steps of ${dtMs} ms: ${passed ? "all gradients agree" : "GRADIENTS DIFFER"}`;
  return `${[title, ...lines].join("\n")}\n\n`;
}

const verdictOf = ({ verdict, loss }: CheckedArray): string => (verdict === "differs" ? `differs (${loss})` : verdict);
