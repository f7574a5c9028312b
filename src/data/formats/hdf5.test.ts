import { readFileSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { writeHdf5 } from "../../../test/data/write-hdf5.ts";
import { UserError } from "../../base/errors.ts";
import { openHdf5 } from "./hdf5.ts";
import type { Hdf5File } from "./hdf5-file.ts";

const open: Hdf5File[] = [];
async function opened(bytes: Uint8Array, name = "file.h5"): Promise<Hdf5File> {
  const file = await openHdf5(bytes, name);
  open.push(file);
  return file;
}
afterEach(() => {
  for (const file of open.splice(0)) file.close();
});

let small: Uint8Array;
beforeAll(async () => {
  small = await writeHdf5((file) => {
    file.create_dataset({ name: "rates", data: Float64Array.from({ length: 12 }, (_, i) => i / 4), shape: [3, 4] });
    file.create_dataset({ name: "half", data: new Float32Array([1, 0.5, 2]) });
    file.create_dataset({ name: "ids", data: new BigInt64Array([7n, -8n]) });
    file.create_dataset({ name: "flags", data: new Uint8Array([0, 1, 1]) });
    file.create_dataset({ name: "words", data: ["left", "right", "ärger"] });
    file.create_dataset({ name: "fixed", data: ["ab", "c"], dtype: "S4" });
    file.create_dataset({ name: "empty", data: new Float64Array(0), shape: [0, 5] });
    file.create_dataset({
      name: "packed",
      data: Float64Array.from({ length: 4000 }, (_, i) => Math.sin(i)),
      shape: [40, 100],
      chunks: [10, 100],
      compression: 4,
    });
    const group = file.create_group("units");
    group.create_dataset({ name: "spike_times", data: new Float64Array([0.1, 0.2]) });
    group.create_attribute("colnames", ["spike_times", "id"]);
    const times = file.get("units/spike_times");
    if (times !== null && "create_attribute" in times) {
      times.create_attribute("unit", "s");
      times.create_attribute("resolution", 0.001);
      times.create_attribute("target", file.get("rates") === null ? 0 : [group.create_reference()]);
    }
  });
});

describe("openHdf5", () => {
  test("lists datasets with path, shape and type", async () => {
    const file = await opened(small);
    expect(file.datasets.map((d) => `${d.path} ${d.shape.join("x")} ${d.dtype}`)).toEqual([
      "empty 0x5 float64",
      "fixed 2 string",
      "flags 3 uint8",
      "half 3 float32",
      "ids 2 int64",
      "packed 40x100 float64",
      "rates 3x4 float64",
      "units/spike_times 2 float64",
      "words 3 string",
    ]);
    expect(file.damaged).toEqual([]);
    expect(file.has("units")).toBe(true);
    expect(file.has("nothing")).toBe(false);
  });

  test("reads numbers, text and attributes", async () => {
    const file = await opened(small);
    expect(file.readNumbers("rates")).toEqual({
      shape: [3, 4],
      dtype: "float64",
      data: Float64Array.from({ length: 12 }, (_, i) => i / 4),
    });
    expect(file.readNumbers("/ids").data).toEqual(new BigInt64Array([7n, -8n]));
    expect(file.readNumbers("empty")).toMatchObject({ shape: [0, 5], data: new Float64Array(0) });
    expect(file.readNumbers("packed").data[3999]).toBe(Math.sin(3999));
    expect(file.readStrings("words")).toEqual(["left", "right", "ärger"]);
    expect(file.readStrings("fixed")).toEqual(["ab", "c"]);
    expect(file.attribute("units", "colnames")).toEqual(["spike_times", "id"]);
    expect(file.attribute("units/spike_times", "unit")).toBe("s");
    expect(file.attribute("units/spike_times", "resolution")).toBe(0.001);
    expect(file.attribute("units/spike_times", "target")).toEqual(["units"]);
    expect(file.attribute("units", "other")).toBeUndefined();
  });

  test("a misspelt path gets the nearest one", async () => {
    const file = await opened(small);
    expect(() => file.readNumbers("ratse")).toThrow('file.h5 has no dataset "ratse" — did you mean "rates"?');
    expect(() => file.readNumbers("completely else")).toThrow(/it holds empty, fixed, flags/);
    expect(() => file.readNumbers("units")).toThrow(/may be a group/);
    expect(() => file.readNumbers("words")).toThrow(/holds string values; numbers are needed/);
    expect(() => file.readStrings("rates")).toThrow(/holds float64 values; text is needed/);
  });

  test("reading after close is an error, closing twice is not", async () => {
    const file = await openHdf5(small, "file.h5");
    file.close();
    file.close();
    expect(() => file.readNumbers("rates")).toThrow(/was closed before/);
  });

  test("a truncated file and a file of another kind are refused, and the next file opens", async () => {
    await expect(openHdf5(small.slice(0, small.length - 900), "cut.h5")).rejects.toThrow(
      /cut.h5 cannot be opened as HDF5/,
    );
    await expect(openHdf5(new Uint8Array(5000), "zero.h5")).rejects.toBeInstanceOf(UserError);
    await expect(openHdf5(new Uint8Array(0), "none.h5")).rejects.toBeInstanceOf(UserError);
    expect((await opened(small)).readNumbers("rates").data[4]).toBe(1);
  });

  test("a corrupt compressed chunk is an error, not old memory", async () => {
    const file = await opened(readFileSync("examples/data/alm.h5"));
    const good = file.readNumbers("rate_left").data as Float64Array;
    expect(good.every(Number.isFinite)).toBe(true);
    const bytes = new Uint8Array(readFileSync("examples/data/alm.h5"));
    // Most of the file is packed chunks: damage in the middle lies in one of them.
    bytes.fill(0x5a, 400_000, 400_400);
    const bad = await opened(bytes, "bad.h5");
    const reading = (): unknown => bad.datasets.map((d) => bad.readNumbers(d.path));
    expect(reading).toThrow(/of bad.h5 cannot be read \(.*\); the file is damaged/);
  });

  // Without the check in hdf5-heaps.ts both never return: the library takes lengths modulo 2^32.
  test.each([
    ["a text with number and length 0", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["a text of length 2^32 - 16", [1, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
  ])("a heap of texts that would be walked for ever: %s", async (_, entry) => {
    const bytes = small.slice();
    const heap = bytes.findIndex((__, i) => String.fromCharCode(...bytes.subarray(i, i + 4)) === "GCOL");
    bytes.set(entry, heap + 16);
    await expect(openHdf5(bytes, "loop.h5")).rejects.toThrow(
      /the heap of its texts at byte \d+ has lost its structure/,
    );
  });

  test("after many damaged files the library still reads", async () => {
    for (let i = 0; i < 200; i++) await openHdf5(small.slice(0, 1000 + i), "cut.h5").catch(() => {});
    expect((await opened(small)).readNumbers("rates").shape).toEqual([3, 4]);
  });

  test("a dataset that claims more than the file can hold is refused before it is read", async () => {
    const huge = await writeHdf5((file) => {
      file.create_dataset({
        name: "rates",
        data: new Float64Array(10),
        shape: [10],
        maxshape: [null],
        chunks: [10],
        compression: 1,
      });
      const dataset = file.get("rates");
      if (dataset !== null && "resize" in dataset) dataset.resize([100_000_000]);
    });
    const file = await opened(huge, "huge.h5");
    expect(() => file.readNumbers("rates")).toThrow(/claims 100000000 values, 800 MB, more than a file of .* can hold/);
  });
});
