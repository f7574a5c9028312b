/**
 * Time constants that were measured in neurons, to be compared with learned ones: a table of groups (species, kinds of
 * cells) with their quantiles, or a list with one value per neuron.
 *
 * Columns of the table: words that name the group, `n`, and quantiles `p1`, `p2.5`, `p50` ... in ms; where they are given
 * `mean_ms`, `sd_ms`, `gamma_shape`, `gamma_scale_ms`, `lognormal_mu` and `lognormal_sigma`.
 */
import { dataError } from "../base/errors.ts";
import { type GammaDistribution, type LogNormalDistribution, summarisePositive } from "../math/distribution-fits.ts";
import { quantiles } from "../math/statistics.ts";
import { readCsv } from "./formats/csv.ts";
import { readVector } from "./formats/read-vector.ts";
import { sniff } from "./formats/sniff.ts";

/** Time constants of one group of neurons, ms. What the file does not say is null. */
export interface MeasuredGroup {
  readonly name: string;
  readonly count: number | null;
  readonly mean: number | null;
  readonly sd: number | null;
  readonly gamma: GammaDistribution | null;
  readonly logNormal: LogNormalDistribution | null;
  /** Ascending. */
  readonly quantiles: readonly { readonly fraction: number; readonly value: number }[];
}

const quantileColumn = /^p(\d+(?:\.\d+)?)$/;
const numberColumns = ["n", "mean_ms", "sd_ms", "lognormal_mu", "lognormal_sigma", "gamma_shape", "gamma_scale_ms"];
/** Quantiles that are kept of a list. */
const fractions = [0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.975, 0.99];

function headerOf(bytes: Uint8Array): string[] {
  const first = new TextDecoder()
    .decode(bytes.subarray(0, 4096))
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)[0];
  return first.split(/[\t;,]/).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
}

function readGroups(bytes: Uint8Array, name: string, header: readonly string[]): MeasuredGroup[] {
  const wordColumns = header.filter((column) => !quantileColumn.test(column) && !numberColumns.includes(column));
  const { columns, rows, values, words } = readCsv(bytes, name, { wordColumns });
  const at = columns.flatMap((column, c) => {
    const found = quantileColumn.exec(column);
    return found === null ? [] : [{ fraction: Number(found[1]) / 100, column: c }];
  });
  at.sort((a, b) => a.fraction - b.fraction);
  return Array.from({ length: rows }, (_, row) => {
    const cell = (c: number) => values[row * columns.length + c];
    const number = (column: string) => (columns.includes(column) ? cell(columns.indexOf(column)) : null);
    const own = at.map(({ fraction, column }) => ({ fraction, value: cell(column) }));
    const where = `line ${row + 2} of ${name}`;
    const wrong = own.findIndex(({ value }, i) => !(value > 0) || (i > 0 && value < own[i - 1].value));
    if (wrong >= 0) throw dataError(`${where} has the quantile ${own[wrong].value}; quantiles are above 0 and ascend`);
    const [shape, scale] = [number("gamma_shape"), number("gamma_scale_ms")];
    const [mu, sigma] = [number("lognormal_mu"), number("lognormal_sigma")];
    return {
      name: [...words.values()].map((cells) => cells[row]).join(", ") || `group ${row + 1}`,
      count: number("n"),
      mean: number("mean_ms"),
      sd: number("sd_ms"),
      gamma: shape !== null && scale !== null ? { shape, scale } : null,
      logNormal: mu !== null && sigma !== null ? { mu, sigma } : null,
      quantiles: own,
    };
  });
}

/**
 * @param name of the file, for messages
 * @param dataset of a list: which array or column, where there are several
 * @throws UserError for files that hold neither, and for time constants that are not above 0
 */
export async function readMeasured(bytes: Uint8Array, name: string, dataset?: string): Promise<MeasuredGroup[]> {
  if (dataset === undefined && sniff(bytes, name) === "csv") {
    const header = headerOf(bytes);
    if (header.includes("p50")) return readGroups(bytes, name, header);
  }
  const values = await readVector(bytes, name, dataset);
  const bad = values.findIndex((value) => !(value > 0));
  if (bad >= 0)
    throw dataError(`${name} has the time constant ${values[bad]} at position ${bad}; it must be above 0 ms`);
  const { count, mean, sd, gamma, logNormal } = summarisePositive(values);
  const own = quantiles(values, fractions).map((value, i) => ({ fraction: fractions[i], value }));
  return [{ name: dataset ?? name, count, mean, sd, gamma, logNormal, quantiles: own }];
}
