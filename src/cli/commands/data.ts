/** `volley data`: what is in a file of labelled samples, and downloads of public ones. */
import { join } from "node:path";
import { Argument, type Command } from "commander";
import { UserError } from "../../base/errors.ts";
import { shapeText } from "../../data/formats/limits.ts";
import type { ColumnValues } from "../../data/formats/nwb.ts";
import type { ColumnSummary, SetSummary, Spread } from "../../data/labelled/describe-set.ts";
import type { OpenOptions } from "../../data/labelled/open-labelled-set.node.ts";
import { type PublicSet, publicSets } from "../../data/labelled/public-sets.ts";
import { formatBytes } from "../../experiment/memory-guard.ts";
import type { Context } from "../context.ts";
import { formatCount, formatDuration, jsonLine } from "../talk.ts";

interface InfoFlags {
  readonly labels?: string;
  readonly sensor?: OpenOptions["sensor"];
  readonly label?: string;
  readonly table?: string;
  readonly event?: string;
  readonly before?: number;
  readonly after?: number;
  readonly trialsWhere?: ColumnValues;
  readonly unitsWhere?: ColumnValues;
  readonly json?: boolean;
}

const infoExamples = `Examples:
  volley data info examples/data/digits-train.h5.gz
  volley data info mnist/train-images-idx3-ubyte.gz
  volley data info session.nwb --label stimulus --event go_cue --after 500 --units-where quality=good
  volley data info Caltech101 --sensor 240x180 --json

`;

function getExamples(sets: Readonly<Record<string, PublicSet>>): string {
  const width = Math.max(...Object.keys(sets).map((name) => name.length));
  const lines = Object.entries(sets).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `Sets:\n${lines.join("\n")}\n\nExample:\n  volley data get mnist --to data/mnist\n\n`;
}

/** @param sets what can be downloaded, by name. */
export function addData(program: Command, context: Context, sets = publicSets): void {
  const data = program.command("data").summary("look into labelled data, or download public sets");
  data
    .command("info")
    .summary("show counts, shape, durations, rates, classes and columns of a labelled set")
    .description(
      "Reads and checks all samples: SHD and SSC (HDF5), NWB, idx images, N-MNIST events, npz; plain or .gz. " +
        "Classes may be missing.",
    )
    .argument("<file>", "the file, or the folder of event files")
    .option("--labels <file>", "idx: the file of labels (default: the one beside the images)")
    .option("--sensor <WxH>", "events: pixels of the sensor (default: 34x34)", sensorSize)
    .option("--label <column>", "NWB: column of the trials that is the class")
    .option("--table <name>", "NWB: table of the trials (default: trials)")
    .option("--event <column>", "NWB: time that samples are aligned to (default: start_time)")
    .option("--before <ms>", "NWB: start of samples before the event (default: 0)", milliseconds("--before"))
    .option("--after <ms>", "NWB: end of samples after the event (default: end of the trial)", milliseconds("--after"))
    .option("--trials-where <column=value>", "NWB: only trials with this value; may be repeated", columnValue)
    .option("--units-where <column=value>", "NWB: only units with this value; may be repeated", columnValue)
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("beforeAll", infoExamples)
    .action((file: string, flags: InfoFlags) => info(context, file, flags));
  data
    .command("get")
    .summary("download a public set, with resume and checksum")
    .description("Downloads into a folder. A download that was stopped is continued. Prints the paths of the files.")
    .addArgument(new Argument("<set>", "which one").choices(Object.keys(sets)))
    .option("--to <folder>", "where to (default: data/<set>)")
    .addHelpText("beforeAll", getExamples(sets))
    .action((name: string, flags: { to?: string }) => get(context, sets[name], flags.to ?? join("data", name)));
}

function sensorSize(text: string): { width: number; height: number } {
  const match = /^(\d{1,4})[x×](\d{1,4})$/.exec(text);
  if (match === null) throw new UserError(`--sensor is "${text}"; give width x height in pixels, such as 34x34`);
  return { width: Number(match[1]), height: Number(match[2]) };
}

function milliseconds(name: string) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value)) return value;
    throw new UserError(`${name} is "${text}"; it must be a number of ms`);
  };
}

/** `quality=good`, added to those given before. */
function columnValue(text: string, before: ColumnValues = {}): ColumnValues {
  const match = /^([^=]+)=(.+)$/.exec(text);
  if (match === null) throw new UserError(`"${text}" is no column=value, such as quality=good`);
  const [, column, value] = match;
  return { ...before, [column]: value === "true" || value === "false" ? value === "true" : value };
}

async function info(context: Context, file: string, flags: InfoFlags): Promise<void> {
  const { label, table, event, before, after, trialsWhere, unitsWhere } = flags;
  const cutting = { table, event, beforeMs: before, afterMs: after, trialsWhere, unitsWhere };
  if (label === undefined && Object.values(cutting).some((flag) => flag !== undefined)) {
    throw new UserError(
      "--table, --event, --before, --after, --trials-where and --units-where cut samples out of an NWB file; " +
        "give the column of their classes too (--label)",
    );
  }
  const { openLabelledFile } = await import("../../data/labelled/open-labelled-set.node.ts");
  const { describeSet } = await import("../../data/labelled/describe-set.ts");
  const set = await openLabelledFile(file, {
    labelsFile: flags.labels,
    sensor: flags.sensor,
    trials: label === undefined ? undefined : { label, ...cutting },
    // Whoever names a column of classes wants to hear of it when there is none.
    allowUnlabelled: label === undefined,
  });
  try {
    const summary = await describeSet(set);
    context.stdout.write(flags.json ? jsonLine(summary) : summaryLines(summary));
  } finally {
    set.close();
  }
}

const figure = (value: number): string =>
  value >= 1000 ? formatCount(Math.round(value)) : String(+value.toPrecision(3));

const spreadText = ({ lowest, mean, highest }: Spread, unit = ""): string =>
  lowest === highest
    ? `${figure(mean)}${unit} each`
    : `${figure(mean)}${unit} on average, ${figure(lowest)} to ${figure(highest)}`;

const perSample = (spread: Spread): string =>
  spread.lowest === spread.highest ? `${figure(spread.mean)} per sample` : `${spreadText(spread)} per sample`;

const mostListed = 12;

/** `zero (40), one (40)`; the first few of many. */
function listed(items: readonly { readonly name: string; readonly samples: number }[], different: number): string {
  const shown = items.slice(0, mostListed).map(({ name, samples }) => `${name} (${formatCount(samples)})`);
  return `${shown.join(", ")}${different > shown.length ? `, and ${different - shown.length} more` : ""}`;
}

function columnText({ values, different }: ColumnSummary): string {
  return listed(
    values.map(({ value, samples }) => ({ name: String(value), samples })),
    different,
  );
}

function classesText({ classes, unlabelled }: SetSummary): string {
  if (classes.length === 0) return "unknown: the samples have no labels";
  const without = unlabelled === 0 ? "" : `; ${formatCount(unlabelled)} samples without a class`;
  return `${classes.length}: ${listed(classes, classes.length)}${without}`;
}

/** `34 x 34 x 2 (height x width x channels)`; a single channel at each place is not worth a word. */
function placesText(shape: readonly number[]): string {
  const axes = shape.length === 2 ? ["length", "channels"] : ["height", "width", "channels"];
  const shown = shape.at(-1) === 1 ? shape.slice(0, -1) : shape;
  return `${shapeText(shown)} (${axes.slice(0, shown.length).join(" x ")})`;
}

function summaryLines(summary: SetSummary): string {
  const { spikes, frames } = summary;
  const rows: [string, string][] = [
    ["samples", formatCount(summary.samples)],
    ["channels", `${formatCount(summary.channels)}, ${formatCount(summary.activeChannels)} of them active`],
  ];
  if (summary.shape !== null) rows.push(["shape", placesText(summary.shape)]);
  if (spikes !== null) {
    const { lowest, mean, highest } = spikes.durationMs;
    rows.push(
      ["duration", `${spreadText({ lowest, mean, highest }, " ms")} (last spike)`],
      ["spikes", `${perSample(spikes.perSample)}; ${formatCount(spikes.total)} in all`],
      ["rate", `${figure(spikes.rateHz)} Hz per channel`],
    );
  }
  if (frames !== null) {
    rows.push(["frames", perSample(frames.perSample)], ["values", spreadText(frames.values)]);
  }
  rows.push(["classes", classesText(summary)]);
  for (const [name, column] of Object.entries(summary.columns)) rows.push([name, columnText(column)]);
  for (const note of summary.notes) rows.push(["note", note]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
  return `${summary.name}: ${spikes === null ? "frames of numbers" : "spikes"}\n${lines.join("\n")}\n`;
}

const terminalEveryMs = 100;
const plainEveryMs = 5000;

/** Says how far a download is: an updating line on a terminal, else a line every few seconds. */
class DownloadProgress {
  private readonly context: Context;
  private readonly name: string;
  private shownAt = performance.now();
  private first: { readonly at: number; readonly bytes: number } | undefined;

  constructor(context: Context, name: string) {
    this.context = context;
    this.name = name;
  }

  show(bytes: number, total: number | undefined): void {
    const now = performance.now();
    this.first ??= { at: now, bytes };
    const { columns } = this.context.stderr;
    if (now - this.shownAt < (columns === undefined ? plainEveryMs : terminalEveryMs)) return;
    this.shownAt = now;
    const perSecond = (1000 * (bytes - this.first.bytes)) / Math.max(1, now - this.first.at);
    const parts = [
      this.name,
      total === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(total)}`,
      `${formatBytes(perSecond)}/s`,
      ...(total === undefined || perSecond === 0 ? [] : [`${formatDuration((total - bytes) / perSecond)} left`]),
    ];
    const text = parts.join("  ");
    this.context.stderr.write(columns === undefined ? `${text}\n` : `\r\u001b[K${text.slice(0, columns - 1)}`);
  }

  /** Takes the updating line away. */
  end(): void {
    if (this.context.stderr.columns !== undefined) this.context.stderr.write("\r\u001b[K");
  }
}

async function get(context: Context, set: PublicSet, folder: string): Promise<void> {
  const { download, fetchMd5List } = await import("../../data/labelled/download.node.ts");
  const say = (text: string): void => context.stderr.write(`${text}\n`);
  say(set.summary);
  say(`  ${set.page}\n  licence ${set.licence}; cite ${set.cite}`);
  const listedSums = set.md5List === undefined ? undefined : await fetchMd5List(set.md5List);
  for (const file of set.files) {
    const path = join(folder, file.name);
    const md5 = listedSums?.get(file.name);
    const checksum = file.checksum ?? (md5 === undefined ? undefined : { algorithm: "md5", hex: md5, of: "file" });
    const progress = new DownloadProgress(context, file.name);
    let state: "downloaded" | "present";
    try {
      state = await download({
        urls: file.urls,
        path,
        checksum,
        onProgress: (bytes, total) => progress.show(bytes, total),
      });
    } finally {
      progress.end();
    }
    const against = checksum === undefined ? "the publisher's checksum was not to be had" : "checksum right";
    say(`${file.name}: ${state === "present" ? "was there already" : "downloaded"}, ${against}`);
    context.stdout.write(`${path}\n`);
  }
  say(`look into it with: volley data info ${join(folder, set.files[0].name)}`);
}
