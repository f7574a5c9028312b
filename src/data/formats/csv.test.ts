import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { readCsv } from "./csv.ts";
import { readRecording } from "./read-recording.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const numbers = (value: string): number[] => [...readCsv(text(value), "t.csv").values];

describe("readCsv", () => {
  test.each([
    ["comma", "1,2\n3,4\n"],
    ["semicolon", "1;2\n3;4"],
    ["tab", "1\t2\r\n3\t4\r\n"],
    ["spaces", " 1   2\n 3 4 "],
    ["byte order mark, comment, blank lines", "\uFEFF# saved by np.savetxt\n\n1,2\n\n3,4\n\n"],
    ["exponents and signs", "1e0,+2.\n.3e1,40E-1"],
    ["header", "a,b\n1,2\n3,4"],
    ["quoted header with a comma", '"a, left",b\n1,2\n3,4'],
  ])("%s", (_, table) => {
    expect(numbers(table)).toEqual([1, 2, 3, 4]);
  });

  test("names", () => {
    expect(readCsv(text('"a, left",b\n1,2'), "t")).toMatchObject({ columns: ["a, left", "b"], named: true });
    expect(readCsv(text("1,2"), "t")).toMatchObject({ columns: ["column 1", "column 2"], named: false });
  });

  test.each([
    ["a,b\n1,2\n3,x", 'line 3, column "b" of t.csv holds "x", which is not a finite number'],
    ["a,b\n1,\n3,4", 'line 2, column "b" of t.csv is missing or not finite ("")'],
    ["1,2\nnan,4", 'line 2, column "column 1" of t.csv is missing or not finite ("nan")'],
    ["a;b\n1,5;2", "write decimal points, not commas"],
    ["1,2\n3", "line 2 of t.csv has 1 cells where the first line has 2"],
    ["a,a\n1,2", 'two columns called "a"'],
    ["a,b\n", "no rows"],
    ["\n\n", "empty"],
    ["1,1e999", "not a finite number"],
  ])("refuses %j", (table, message) => {
    expect(() => numbers(table)).toThrow(message);
  });

  test("refuses UTF-16 and bytes that are not text", () => {
    expect(() => readCsv(new Uint8Array([0xff, 0xfe, 0x31, 0]), "t.csv")).toThrow(/UTF-16/);
    expect(() => readCsv(new Uint8Array([0x31, 0xff, 0x31]), "t.csv")).toThrow(/not UTF-8/);
  });
});

describe("recordings from tables", () => {
  const course = Array.from({ length: 12 }, (_, i) => [20 + 10 * Math.sin(i / 2), 15 + 9 * Math.cos(i / 2), 5 + i / 4]);
  const body = (prefix: (i: number) => string): string =>
    course.map((row, i) => `${prefix(i)}${row.join()}`).join("\n");

  test("rows x neurons, unit guessed and noted", async () => {
    const recording = await readRecording(text(body(() => "")), "t.csv");
    expect(recording).toMatchObject({ tasks: 1, rows: 12, neurons: 3, quantity: "rateHz", intervalMs: undefined });
    expect(recording.notes.join()).toMatch(/took the numbers .* as rates in Hz/);
    expect(recording.values).toEqual(Float64Array.from(course.flat()));
  });

  test("a time column gives the interval, in s or ms, and is no neuron; neither is the index pandas writes", async () => {
    const table = `,time_s,r1,r2,r3\n${body((i) => `${i},${0.01 * i},`)}`;
    const recording = await readRecording(text(table), "t.csv");
    expect(recording).toMatchObject({ neurons: 3, intervalMs: 10 });
    expect(recording.notes.join()).toMatch(/\(unnamed\), time_s as time or index/);
  });

  test("tasks by column, in order of appearance, packed by gzip", async () => {
    const table = `task,a,b,c\n${body(() => "right,")}\n${body(() => "left,")}`;
    const recording = await readRecording(gzipSync(text(table)), "t.csv.gz");
    expect(recording).toMatchObject({ tasks: 2, rows: 12, neurons: 3, taskNames: ["right", "left"] });
    const uneven = `task,a,b,c\n${body(() => "right,")}\n${body(() => "left,")}\nleft,1,2,3`;
    await expect(readRecording(text(uneven), "t.csv")).rejects.toThrow(/"right" has 12 and "left" has 13/);
  });

  test("columns are chosen by name or pattern", async () => {
    const table = `x,unit_1,unit_2\n${body(() => "")}`;
    expect(await readRecording(text(table), "t.csv", { columns: ["unit_*"] })).toMatchObject({ neurons: 2 });
    await expect(readRecording(text(table), "t.csv", { columns: ["unti_1"] })).rejects.toThrow(
      'did you mean "unit_1"?',
    );
  });

  test("one line per neuron is noticed or obeyed", async () => {
    const turned = course[0].map((_, n) => course.map((row) => row[n]).join()).join("\n");
    await expect(readRecording(text(turned), "t.csv")).rejects.toThrow(/say which axis is time/);
    expect(await readRecording(text(turned), "t.csv", { orientation: "neurons-by-rows" })).toMatchObject({
      neurons: 3,
    });
  });

  test("a column of positions among the neurons is named", async () => {
    const table = `rate_1,hand_x\n1,2\n3,-4\n5,6`;
    await expect(readRecording(text(table), "t.csv", { quantity: "rateHz" })).rejects.toThrow(
      /rate of -4 Hz at neuron 1 \("hand_x"\), row 1/,
    );
  });
});
