import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { writeHdf5 } from "../../../test/data/write-hdf5.ts";
import { writeNpy } from "./npy.ts";
import { writeNpz } from "./npz.ts";
import { readVector } from "./read-vector.ts";

const text = (lines: string) => new TextEncoder().encode(lines);
const values = Float64Array.of(2.5, 10, 40);
const numbers = async (bytes: Uint8Array, dataset?: string) => [...(await readVector(bytes, "tau", dataset))];
const fault = (bytes: Uint8Array, dataset?: string) =>
  readVector(bytes, "tau", dataset).then(
    () => "read",
    (error: Error) => error.message,
  );

test("the only list of a file, in every format", async () => {
  const expected = [...values];
  expect(await numbers(writeNpy(values))).toEqual(expected);
  expect(await numbers(writeNpy(values, [3, 1]))).toEqual(expected);
  expect(await numbers(writeNpy(Int32Array.of(3, 4), [1, 2]))).toEqual([3, 4]);
  expect(await numbers(new Uint8Array(gzipSync(writeNpy(values))))).toEqual(expected);
  expect(
    await numbers(writeNpz({ tau: { data: values }, matrix: { data: new Float64Array(4), shape: [2, 2] } })),
  ).toEqual(expected);
  expect(await numbers(text("2.5\n10\n40\n"))).toEqual(expected);
  expect(await numbers(text("2.5,10,40\n"))).toEqual(expected);
  expect(await numbers(text("tau_ms\n2.5\n10\n40\n"))).toEqual(expected);
});

test("a list by name", async () => {
  const npz = writeNpz({ mem: { data: values }, syn: { data: Float64Array.of(1) } });
  expect(await numbers(npz, "syn")).toEqual([1]);
  expect(await numbers(text("cell,tau\n1,7\n2,8\n"), "tau")).toEqual([7, 8]);
  expect(await fault(npz)).toMatch(/^tau holds several lists: mem \(3\), syn \(1\); choose one by "dataset"/);
  expect(await fault(npz, "men")).toContain('tau has no array "men" — did you mean "mem"?');
  expect(await fault(text("a,b\n1,2\n"))).toContain("holds several lists");
});

test("HDF5: the only list, or a dataset by its path", async () => {
  const file = await writeHdf5((root) => {
    root.create_dataset({ name: "rates", data: new Float64Array(6), shape: [2, 3] });
    root.create_dataset({ name: "words", data: ["a", "b"] });
    root.create_group("cells").create_dataset({ name: "tau", data: values });
  });
  expect(await numbers(file)).toEqual([...values]);
  expect(await numbers(file, "/cells/tau")).toEqual([...values]);
  expect(await fault(file, "words")).toBe('"words" of tau holds string values, not numbers');
  expect(await fault(file, "rates")).toContain('"rates" of tau has the shape 2 x 3');
});

test("what is no list of finite numbers is refused", async () => {
  expect(await fault(writeNpy(Float64Array.of(1, Number.NaN)))).toBe(
    "tau has NaN at position 1; every number must be finite",
  );
  expect(await fault(writeNpy(new Float64Array(6), [2, 3]))).toContain(
    "has the shape 2 x 3; a list of numbers is needed",
  );
  expect(await fault(writeNpy(new Float64Array(0)))).toContain("is empty");
  expect(await fault(writeNpz({ m: { data: new Float64Array(4), shape: [2, 2] } }))).toContain(
    "holds no list of numbers",
  );
  expect(await fault(writeNpy(values), "x")).toContain('is one array; leave "dataset" out');
  expect(await fault(text("tau\n1\nfast\n"))).toContain('holds "fast", which is not a finite number');
  expect(await fault(writeNpy(values).subarray(0, 70))).not.toBe("read");
});
