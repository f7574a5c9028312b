/**
 * Tables of numbers as text: separated by comma, semicolon, tab or spaces, with or without a line of column names.
 * Lines that start with # (NumPy's header) and blank lines are skipped. Every other cell must be a finite number; the
 * first that is not is named by row and column.
 */

import { dataError } from "../../base/errors.ts";
import { byteCount } from "./limits.ts";

export interface NumericTable {
  /** Names of the columns; `column 1`, `column 2`, ... when the file has none. */
  readonly columns: readonly string[];
  /** Whether the file named its columns. */
  readonly named: boolean;
  readonly rows: number;
  /** `rows * columns` numbers, row by row; NaN in the cells of a text column. */
  readonly values: Float64Array;
  /** Columns that may hold words, as their cells. */
  readonly words: ReadonlyMap<string, readonly string[]>;
}

export interface CsvOptions {
  /** Names of columns whose cells may be words (compared without case). Default `["task"]`. */
  readonly wordColumns?: readonly string[];
}

/** A text file above this is better kept as .npy, which is also read a hundred times faster. */
const largestText = 2 ** 28;

const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const missing = /^(?:|nan|na|n\/a|null|none|[+-]?inf(?:inity)?)$/i;

function splitLine(line: string, delimiter: string): string[] {
  if (delimiter === " ") return line.trim().split(/\s+/);
  if (!line.includes('"')) return line.split(delimiter).map((cell) => cell.trim());
  const cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (c === '"') {
      if (quoted && line[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = !quoted;
    } else if (c === delimiter && !quoted) {
      cells.push(cell.trim());
      cell = "";
    } else cell += c;
  }
  cells.push(cell.trim());
  return cells;
}

/** Tab and semicolon win over comma (which may be a decimal comma), comma over spaces. */
function detectDelimiter(line: string): string {
  for (const delimiter of ["\t", ";", ","]) if (line.includes(delimiter)) return delimiter;
  return " ";
}

function decode(bytes: Uint8Array, name: string): string {
  if (bytes.length > largestText) {
    throw dataError(
      `${name} is a text table of ${byteCount(bytes.length)}; at most ${byteCount(largestText)} are read — save it as .npy`,
    );
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw dataError(`${name} is UTF-16 text; save the table as UTF-8 ("CSV UTF-8" in spreadsheet programs)`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw dataError(`${name} is not a text table: it holds bytes that are not UTF-8`, cause);
  }
}

/**
 * Reads a table of numbers.
 *
 * @param name used in messages.
 * @throws UserError for ragged rows, empty tables, two columns of one name, and cells that are not finite numbers.
 */
export function readCsv(bytes: Uint8Array, name: string, options: CsvOptions = {}): NumericTable {
  const lines: { text: string; at: number }[] = [];
  decode(bytes, name)
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .forEach((text, i) => {
      if (text.trim() !== "" && !text.trimStart().startsWith("#")) lines.push({ text, at: i + 1 });
    });
  if (lines.length === 0) throw dataError(`${name} is empty: it holds no line with numbers`);

  const delimiter = detectDelimiter(lines[0].text);
  const first = splitLine(lines[0].text, delimiter);
  // Names are a header; numbers, and gaps among numbers, are data.
  const named = first.some((cell) => !number.test(cell) && !missing.test(cell));
  const columns = named ? first : first.map((_, i) => `column ${i + 1}`);
  const repeated = columns.find((column, i) => column !== "" && columns.indexOf(column) !== i);
  if (repeated !== undefined) {
    const hint = number.test(repeated) ? ` — is a cell of the first line not a number by mistake?` : "; rename one";
    throw dataError(`${name} has two columns called "${repeated}"${hint}`);
  }
  const body = named ? lines.slice(1) : lines;
  if (body.length === 0) throw dataError(`${name} has column names but no rows of numbers`);

  const wordColumns = (options.wordColumns ?? ["task"]).map((column) => column.toLowerCase());
  const words = new Map<string, string[]>();
  const wordsOf = columns.map((column) => {
    if (!named || !wordColumns.includes(column.toLowerCase())) return undefined;
    const cells: string[] = [];
    words.set(column, cells);
    return cells;
  });
  const values = new Float64Array(body.length * columns.length);
  body.forEach(({ text, at }, row) => {
    const cells = splitLine(text, delimiter);
    if (cells.length !== columns.length) {
      throw dataError(
        `line ${at} of ${name} has ${cells.length} cells where ${named ? "the header" : "the first line"} has ` +
          `${columns.length}; every row needs the same number`,
      );
    }
    cells.forEach((cell, c) => {
      const at2 = row * columns.length + c;
      const isNumber = number.test(cell);
      values[at2] = isNumber ? Number(cell) : Number.NaN;
      const list = wordsOf[c];
      if (list !== undefined) list.push(cell);
      else if (!Number.isFinite(values[at2]))
        throw cellError(cell, `line ${at}, column "${columns[c]}"`, delimiter, name);
    });
  });
  return { columns, named, rows: body.length, values, words };
}

function cellError(cell: string, where: string, delimiter: string, name: string): Error {
  const shown = JSON.stringify(cell.slice(0, 40));
  const is = missing.test(cell)
    ? `is missing or not finite (${shown})`
    : `holds ${shown}, which is not a finite number`;
  const hint = delimiter === ";" && /^[+-]?\d+,\d+$/.test(cell) ? " — write decimal points, not commas" : "";
  return dataError(`${where} of ${name} ${is}${hint}`);
}
