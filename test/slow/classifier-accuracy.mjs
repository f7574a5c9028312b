/**
 * Do classifiers still learn what the pages in docs/ say? By hand, some 44 minutes of one core:
 *
 *   npm run test:accuracy:classifiers -- --threads 2            what needs no files of yours, 3 seeds each
 *        --data fsdd_train.h5.gz --test fsdd_test.h5.gz          and what needs all of the spoken digits (docs/benchmarks.md)
 *        --only randman,pattern                                  checks by name or by the first word of it
 *        --seeds 1,2,3                                           of every check that is run
 *        --epochs 1                                              to see that it works: other lengths are not judged
 *
 * Each check is a `volley sweep` over a preset or over a file of examples/, cut down to what is judged: what the pages
 * name is what is trained. `--threads` networks are trained at a time, on one thread each. A check fails when the mean
 * over its seeds misses what is asked for, or when a network cannot be trained.
 *
 * Minutes of one core (AMD EPYC at 2.8 GHz, beside other work): digits-lif-bptt 14, digits-alif-eprop 7, digits-preset 4,
 * evidence and pattern 1 together, randman-1-layer 3, randman-3-layers 13, heterogeneity 1, initialisation-conv 1.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { didYouMean, exitCode } from "../../dist/base/errors.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    seeds: { type: "string", default: "1,2,3" },
    threads: { type: "string", default: "1" },
    epochs: { type: "string" },
    data: { type: "string" },
    test: { type: "string" },
  },
});

const repositoryFile = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const example = (name) => repositoryFile(`examples/${name}.json`);
const randman = JSON.parse(readFileSync(example("sweeps/randman-sigma"), "utf8"));
const randmanOfDepth = (depth, sigmas) => ({
  experiment: randman.experiment,
  grid: {
    depth: { values: randman.grid.depth.values.filter(({ name }) => name === depth) },
    sigma: { ...randman.grid.sigma, values: sigmas },
  },
});

/**
 * `sweep`: what is trained. `measure`: a share, read from every network. `demands`: which of the networks are meant, by the
 * names of what is varied, or how far they are `above` others; and what the mean over seeds must be in per cent, smallest,
 * or smallest and largest. `allDigits`: trained on the files of `--data` and `--test`.
 */
const checks = {
  "digits-lif-bptt": {
    allDigits: true,
    sweep: { experiment: example("digits-lif-bptt") },
    measure: "accuracy.test",
    demands: [{ figure: "test accuracy", asked: [84] }],
  },
  "digits-alif-eprop": {
    allDigits: true,
    sweep: { experiment: example("digits-alif-eprop") },
    measure: "accuracy.test",
    demands: [{ figure: "test accuracy", asked: [86] }],
  },
  "digits-preset": {
    sweep: { experiment: "digits" },
    measure: "accuracy.test",
    demands: [{ figure: "test accuracy", asked: [86] }],
  },
  evidence: {
    sweep: { experiment: "evidence" },
    measure: "accuracy.validation",
    demands: [{ figure: "accuracy where it ended", asked: [93] }],
  },
  pattern: {
    sweep: { experiment: "pattern" },
    measure: "normalisedError.train",
    demands: [{ figure: "error where it ended", asked: [0, 2] }],
  },
  "randman-1-layer": {
    sweep: randmanOfDepth("1", [1]),
    measure: "best.accuracy.test",
    demands: [{ figure: "sigma 1", asked: [94.8, 97.8] }],
  },
  "randman-3-layers": {
    sweep: randmanOfDepth("3", [0.1, 1, 3.16228]),
    measure: "best.accuracy.test",
    demands: [
      { figure: "sigma 1 above 0.1", of: { sigma: "1" }, above: { sigma: "0.1" }, asked: [10] },
      { figure: "sigma 1 above 3.16", of: { sigma: "1" }, above: { sigma: "3.16228" }, asked: [25] },
    ],
  },
  heterogeneity: {
    sweep: {
      experiment: example("heterogeneity"),
      grid: { "network.heterogeneity": ["hom/standard", "hom/het", "het/het"] },
    },
    measure: "accuracy.test",
    // Drawn as well as trained gains 5.3 points over nine seeds, with a standard deviation of 4.6: of three seeds it is only
    // asked to gain.
    demands: Object.entries({ "hom/het": 5, "het/het": 0 }).map(([heterogeneity, least]) => ({
      figure: `${heterogeneity} above standard`,
      of: { heterogeneity },
      above: { heterogeneity: "hom/standard" },
      asked: [least],
    })),
  },
  // One epoch of its own, at the rate that the first of six has.
  "initialisation-conv": {
    allDigits: true,
    sweep: {
      experiment: example("digits-recurrent-conv"),
      conditions: ["fluctuation", "kaiming"].map((type) => ({
        name: type,
        set: { "network.initialisation": { weights: { type } }, "learning.epochs": 1, "learning.schedule": [] },
      })),
    },
    measure: "accuracy.validation",
    demands: [
      {
        figure: "fluctuation above kaiming",
        of: { condition: "fluctuation" },
        above: { condition: "kaiming" },
        asked: [20],
      },
    ],
  },
};

function refuse(message) {
  console.error(message);
  process.exit(exitCode.usage);
}

function wholeNumber(flag, word, least) {
  const value = Number(word);
  if (word === "" || !Number.isSafeInteger(value) || value < least) {
    refuse(`--${flag} is "${word}"; it must be a whole number of at least ${least}`);
  }
  return value;
}

const firstWord = (name) => name.split("-")[0];

/** The checks that `--only` names, or all of them. */
function chosenChecks() {
  const names = Object.keys(checks);
  if (options.only === undefined) return names;
  const words = options.only.split(",");
  const known = [...names, ...names.map(firstWord)];
  for (const word of words) {
    if (known.includes(word)) continue;
    refuse(`--only ${word} is no check${didYouMean(word, known) || `; checks: ${names.join(", ")}`}`);
  }
  return names.filter((name) => words.some((word) => word === name || word === firstWord(name)));
}

const chosen = chosenChecks();
const threads = wholeNumber("threads", options.threads, 1);
const seeds = options.seeds.split(",").map((word) => wholeNumber("seeds", word, 0));
const epochs = options.epochs === undefined ? null : wholeNumber("epochs", options.epochs, 1);
const { data, test } = options;
if ((data === undefined) !== (test === undefined)) refuse("--data and --test go together: give both, or neither");
for (const file of [data, test]) {
  if (file !== undefined && !existsSync(file)) refuse(`there is no file ${file}`);
}

let running;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => running?.kill(signal));

/**
 * Runs the sweep of a check in an empty folder; says on stderr which networks are ready.
 *
 * @returns the code it ended with, what it printed as JSON, and the last thing that it said
 */
async function runSweep(name, folder) {
  const { sweep, measure, allDigits } = checks[name];
  const file = join(folder, "sweep.json");
  // Of axes that set the same, the last one wins.
  const grid = { ...sweep.grid, ...(epochs !== null && { epochs: { path: "learning.epochs", values: [epochs] } }) };
  await writeFile(file, JSON.stringify({ kind: "sweep", ...sweep, grid, seeds, measure: [measure] }));
  const words = ["sweep", file, "--out", join(folder, "cells"), "--jobs", String(threads), "--json"];
  if (allDigits) words.push("--data", data, "--test", test);
  // In a group of its own: Ctrl-C reaches it once, by way of this process.
  running = spawn(process.execPath, [repositoryFile("dist/cli/main.js"), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = once(running, "close");
  const printed = text(running.stdout);
  let said = "";
  for await (const line of createInterface({ input: running.stderr })) {
    if (line.startsWith("[")) console.error(`${name} ${line}`);
    else said = line;
  }
  const [code] = await ended;
  const json = await printed;
  return { code, outcome: json === "" ? null : JSON.parse(json), said };
}

/** The figures of one demand, one for each seed, in per cent. */
function figuresOf({ of = {}, above }, { table }, measure) {
  const valuesOf = (names) =>
    table.find((row) => Object.entries(names).every(([axis, value]) => row[axis] === value)).measures[measure].values;
  const others = above && valuesOf(above);
  return valuesOf(of).map((share, seed) => 100 * (share - (others ? others[seed] : 0)));
}

const one = (value) => value.toFixed(1);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const askedFor = ([lowest, highest]) => (highest === undefined ? `>= ${lowest}` : `${lowest} to ${highest}`);
const line = (name, figure, measured, asked, seconds, verdict) =>
  [name.padEnd(20), figure.padEnd(26), measured.padEnd(26), asked.padEnd(12), seconds.padStart(7), ` ${verdict}`]
    .join(" ")
    .trimEnd();

/** The lines of one check that was run, one for each demand. */
function linesOf(name, { code, outcome, said }, seconds) {
  const { demands, measure } = checks[name];
  const fault = outcome === null ? `volley sweep ended with exit code ${code}: ${said}` : outcome.failed[0]?.message;
  if (fault !== undefined) return [line(name, "not trained", "", "", seconds, "FAILED"), `  ${fault}`];
  return demands.map((demand, d) => {
    const { figure, asked } = demand;
    const figures = figuresOf(demand, outcome, measure);
    const [lowest, highest = Number.POSITIVE_INFINITY] = asked;
    const reached = mean(figures) >= lowest && mean(figures) <= highest;
    const measured = `${one(mean(figures))} (${figures.map(one).join(", ")})`;
    const verdict = epochs !== null ? "not judged" : reached ? "ok" : "FAILED";
    return line(d === 0 ? name : "", figure, measured, askedFor(asked), d === 0 ? seconds : "", verdict);
  });
}

console.log(line("check", "figure, per cent", `mean (seeds ${seeds.join(", ")})`, "asked for", "seconds", ""));
let failures = 0;
for (const name of chosen) {
  if (checks[name].allDigits && data === undefined) {
    console.log(line(name, "left out: all of the spoken digits are needed, --data and --test", "", "", "", ""));
    continue;
  }
  const folder = await mkdtemp(join(tmpdir(), "volley-accuracy-"));
  try {
    const start = performance.now();
    const result = await runSweep(name, folder);
    if (result.code === exitCode.interrupted || result.code === exitCode.terminated) {
      process.exitCode = result.code;
      break;
    }
    const lines = linesOf(name, result, ((performance.now() - start) / 1000).toFixed(0));
    console.log(lines.join("\n"));
    failures += lines.filter((text) => text.endsWith("FAILED")).length;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
if (epochs !== null) console.log("\nnot judged: another number of epochs was asked for");
else if (process.exitCode === undefined) {
  console.log(failures === 0 ? "\nall as asked for" : `\n${failures} demand(s) missed`);
}
process.exitCode ??= failures > 0 ? 1 : 0;
