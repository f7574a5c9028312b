import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { shdFile, spikeSamples } from "../../../test/data/make-labelled-files.ts";
import { float16Bits, writeSpikeHdf5 } from "../../../test/data/write-spike-hdf5.ts";
import { openHdf5 } from "../formats/hdf5.ts";
import { float16ToFloat32 } from "../formats/numeric-array.ts";
import type { LabelledSet, SpikeTrains } from "../labelled-set.ts";
import { openLabelledSet } from "./open-labelled-set.ts";

async function allSpikes(set: LabelledSet): Promise<SpikeTrains[]> {
  return (await set.read(Array.from({ length: set.size }, (_, i) => i))) as SpikeTrains[];
}

const open = (bytes: Uint8Array, options = {}) => openLabelledSet("set.h5", bytes, options);
const two = [
  { times: [0.25, 0.5], units: [1, 3] },
  { times: [0.125], units: [0] },
];

describe("HDF5 in the layout of SHD", () => {
  test("samples, classes and columns are those of the file", async () => {
    const set = await open(shdFile(200));
    expect(set).toMatchObject({
      name: "set.h5",
      kind: "spikes",
      size: 200,
      channels: 20,
      classNames: ["null", "eins", "zwei"],
      notes: [],
    });
    expect(set.labels).toEqual(Uint32Array.from({ length: 200 }, (_, i) => i % 3));
    expect(set.columns).toEqual({ speaker: Int32Array.from({ length: 200 }, (_, i) => i % 2) });
    const expected = spikeSamples(200);
    expect(set.durationMs).toBe(Math.max(...expected.map(({ times }) => 1000 * times.at(-1)!)));
    (await allSpikes(set)).forEach(({ timesMs, units }, i) => {
      expect(timesMs).toEqual(Float32Array.from(expected[i].times, (t) => 1000 * t));
      expect(units).toEqual(Uint32Array.from(expected[i].units));
    });
    set.close();
  });

  test("times keep the type's precision: every float16 from 0 to 60 s comes back as 1000 times itself", async () => {
    const bits = Array.from({ length: float16Bits(60) }, (_, i) => i);
    const times = Array.from(float16ToFloat32(Uint16Array.from(bits)));
    const set = await open(writeSpikeHdf5({ samples: [{ times, units: times.map(() => 0) }], labels: [0] }));
    const [{ timesMs }] = await allSpikes(set);
    expect(timesMs).toEqual(Float32Array.from(times, (t) => 1000 * t));
  });

  test.each([
    ["float32", "uint8", false],
    ["float64", "int64", false],
    ["float64", "int32", true],
    ["float16", "uint16", true],
  ] as const)("times of type %s, units of type %s, big-endian %s", async (timeType, unitType, bigEndian) => {
    const samples = [{ times: [0.25, 1 / 3], units: [200, 7] }];
    const set = await open(writeSpikeHdf5({ samples, labels: [0], timeType, unitType, bigEndian }));
    const [{ timesMs, units }] = await allSpikes(set);
    const third = timeType === "float16" ? float16ToFloat32(Uint16Array.of(float16Bits(1 / 3)))[0] : 1 / 3;
    expect(timesMs[1]).toBeCloseTo(1000 * third, timeType === "float16" ? 6 : 4);
    expect(units).toEqual(Uint32Array.of(200, 7));
    expect(set.classNames).toEqual(["0"]);
  });

  test("units beyond 65535 are kept too", async () => {
    const samples = [{ times: [0, 0.5, 1], units: [70_000, 3, 69_999] }];
    const set = await open(writeSpikeHdf5({ samples, labels: [0], unitType: "int32" }));
    expect(set.channels).toBe(70_001);
    expect((await allSpikes(set))[0].units).toEqual(Uint32Array.of(70_000, 3, 69_999));
  });

  test("spikes out of order are sorted, ties kept in order, and it is said", async () => {
    const samples = [{ times: [0.5, 0.25, 0.5, 0.25], units: [1, 2, 3, 4] }, ...two];
    const set = await open(writeSpikeHdf5({ samples, labels: [0, 0, 1] }));
    const [{ timesMs, units }] = await allSpikes(set);
    expect(timesMs).toEqual(Float32Array.of(250, 250, 500, 500));
    expect(units).toEqual(Uint32Array.of(2, 4, 1, 3));
    expect(set.notes).toEqual(["samples whose spikes were put into the order of their times: 1"]);
  });

  test("samples without spikes and spikes that coincide are noted", async () => {
    const samples = [
      { times: [], units: [] },
      { times: [0.5, 0.5, 0.5], units: [1, 2, 1] },
    ];
    const set = await open(writeSpikeHdf5({ samples, labels: [0, 1] }));
    expect((await allSpikes(set))[0].timesMs).toHaveLength(0);
    expect(set.notes).toEqual([
      "samples without spikes: 1",
      "spikes with the time and channel of another one in their sample: 1 (33 %)",
    ]);
  });

  test("names and channels that are given go before those of the file", async () => {
    const set = await open(shdFile(), { classNames: ["a", "b", "c", "d"], channels: 700 });
    expect(set).toMatchObject({ classNames: ["a", "b", "c", "d"], channels: 700 });
  });

  test("samples are read by index, in any order, as often as wanted, and belong to the reader", async () => {
    const set = await open(shdFile());
    const [a, b] = (await set.read([5, 5])) as SpikeTrains[];
    a.timesMs.fill(-1);
    a.units.fill(9);
    const [again] = (await set.read(Uint32Array.of(5))) as SpikeTrains[];
    expect(again).toEqual(b);
    await expect(set.read([12])).rejects.toThrow(RangeError);
    set.close();
    set.close();
    await expect(set.read([0])).rejects.toThrow("set.h5 was closed before its samples were read");
  });

  test.each([
    [
      "a label without a name",
      shdFile(3, { labels: [0, 3, 1] }),
      /sample 1 of set.h5 has the label 3, but the file names only 3 classes \(0 to 2: null, eins, zwei\)/,
    ],
    ["too few labels", shdFile(3, { labels: [0, 1] }), /"labels" of set.h5 has 2 values for 3 samples/],
    ["no labels", shdFile(3, { labels: undefined }), /has no dataset "labels"/],
    [
      "a negative time",
      writeSpikeHdf5({ samples: [two[0], { times: [0.5, -0.25], units: [0, 1] }], labels: [0, 1] }),
      /spike 1 of sample 1 of set.h5 is at -0.25 s/,
    ],
    [
      "a time that is no number",
      writeSpikeHdf5({ samples: [{ times: [Number.NaN], units: [0] }], labels: [0] }),
      /spike 0 of sample 0 of set.h5 is at NaN s/,
    ],
    ["an endless time", writeSpikeHdf5({ samples: [{ times: [1e9], units: [0] }], labels: [0] }), /is at Infinity s/],
    [
      "a negative unit",
      writeSpikeHdf5({ samples: [{ times: [1], units: [-4] }], labels: [0], unitType: "int16" }),
      /sample 0 of set.h5 has the unit -4/,
    ],
    [
      "an absurd unit",
      writeSpikeHdf5({ samples: [{ times: [1], units: [1e8] }], labels: [0], unitType: "int32" }),
      /is on channel 100000000, but at most 4194304 channels are possible/,
    ],
    [
      "times without their units",
      writeSpikeHdf5({ samples: [{ times: [1, 2], units: [0] }], labels: [0] }),
      /sample 0 of set.h5 has 2 times and 1 units/,
    ],
    [
      "no spikes at all",
      writeSpikeHdf5({ samples: [{ times: [], units: [] }], labels: [0] }),
      /none of them has a spike/,
    ],
    ["no samples", writeSpikeHdf5({ samples: [], labels: [] }), /set.h5 holds no samples/],
  ])("%s is refused", async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(message);
    await expect(open(bytes)).rejects.toMatchObject({ name: "UserError" });
  });

  test("a unit beyond the channels asked for is refused", async () => {
    await expect(open(shdFile(), { channels: 10 })).rejects.toThrow(
      /spike \d of sample \d of set.h5 is on channel 1\d, but there are only 10 channels \(0 to 9\)/,
    );
  });

  test("another layout: what was found, and what is needed", async () => {
    await expect(openLabelledSet("alm.h5", readFileSync("examples/data/alm.h5"))).rejects.toThrow(
      /alm.h5 holds rate_left, rate_right, .* no layout of labelled samples .* HDF5 in the layout of SHD \(spikes\/times/,
    );
  });
});

describe("sequences in HDF5", () => {
  test("any part of them, without those before", async () => {
    const file = await openHdf5(shdFile(100), "set.h5");
    const expected = spikeSamples(100);
    expect(file.describe("spikes/times")).toMatchObject({ kind: "sequences", dtype: "sequences of float16" });
    const { data, offsets } = file.readSequences("spikes/units", 60, 7);
    expect(data).toEqual(Uint16Array.from(expected.slice(60, 67).flatMap(({ units }) => units)));
    expect(Array.from(offsets.subarray(0, 2))).toEqual([0, expected[60].units.length]);
    expect(file.readSequences("spikes/units", 100, 0).data).toHaveLength(0);
    expect(() => file.readSequences("spikes/units", 99, 2)).toThrow(RangeError);
    expect(() => file.readSequences("labels", 0, 1)).toThrow(/holds 100 values of uint16; a list of sequences/);
    expect(() => file.readNumbers("spikes/times")).toThrow(/holds sequences of float16 values; numbers are needed/);
    file.close();
  });

  test("a length that the heap does not have is an error", async () => {
    const bytes = shdFile(4);
    const view = new DataView(bytes.buffer);
    // The places of the lists follow the heap of 4096 bytes: length, address of the heap, number of the object.
    const heap = bytes.findIndex((_, i) => view.byteLength - i > 8 && view.getUint32(i, true) === 0x4c4f4347);
    view.setUint32(heap + 4096, 60_000, true);
    await expect(open(bytes)).rejects.toThrow(/dataset "spikes\/times", values 0 to 3, of set.h5 cannot be read/);
  });
});

describe("the bundled digits", () => {
  const test120 = readFileSync("examples/data/digits-test.h5.gz");

  test("120 samples of 4 speakers, from the bytes of the .gz", async () => {
    const set = await openLabelledSet("digits-test.h5.gz", test120);
    expect(set).toMatchObject({ name: "digits-test.h5.gz", size: 120, channels: 700, notes: [] });
    expect(set.classNames.slice(0, 3)).toEqual(["zero", "one", "two"]);
    expect(Object.keys(set.columns)).toEqual(["repetition", "speaker"]);
    for (let label = 0; label < 10; label++) expect(set.labels.filter((one) => one === label)).toHaveLength(12);
    const spikes = await allSpikes(set);
    // Sums over all samples, computed with h5py and numpy.
    expect(spikes.reduce((sum, { units }) => sum + units.length, 0)).toBe(673_822);
    expect(spikes.reduce((sum, { units }) => sum + units.reduce((a, b) => a + b, 0), 0)).toBe(151_755_210);
    expect(spikes.reduce((sum, { timesMs }) => sum + timesMs.reduce((a, b) => a + b, 0), 0)).toBeCloseTo(
      110233629.00400162,
      -1,
    );
  });

  test("no recording is in both files", async () => {
    const train = await openLabelledSet("digits-train.h5.gz", readFileSync("examples/data/digits-train.h5.gz"));
    expect(train.size).toBe(360);
    expect(Math.min(...train.columns.repetition)).toBeGreaterThanOrEqual(5);
    const own = await openLabelledSet("digits-test.h5.gz", test120);
    expect(Math.max(...own.columns.repetition)).toBeLessThan(5);
  });
});
