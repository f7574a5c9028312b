import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evenSpikes, npyFile, nwbFile } from "../../../test/data/make-files.ts";
import {
  eventFile,
  eventFolder,
  framesNpz,
  gzFile,
  idxFile,
  imageLabelsFile,
  imagesFile,
  npzOf,
  spikesNpz,
  tarFile,
  trialsNwb,
  wordsNpy,
  zipFile,
} from "../../../test/data/make-labelled-files.ts";
import type { Frames, LabelledSet, SpikeTrains } from "../labelled-set.ts";
import { wordsOfNpy } from "./npy-text.ts";
import { openLabelledSet } from "./open-labelled-set.ts";
import type { LabelledOptions, NwbTrialOptions } from "./options.ts";

const all = (set: LabelledSet) => set.read(Array.from({ length: set.size }, (_, i) => i));
const text = (words: string) => new TextEncoder().encode(words);

describe("idx images", () => {
  const labels = imageLabelsFile();

  test.each([
    ["plain", imagesFile(), labels],
    ["packed", gzFile(imagesFile()), gzFile(labels)],
  ])("an image is its rows, %s", async (_, images, ofImages) => {
    const set = await openLabelledSet("images", images, { labels: ofImages });
    expect(set).toMatchObject({ kind: "frames", size: 6, frames: 4, channels: 5, range: [0, 255], notes: [] });
    expect(set.classNames).toEqual(["0", "1", "2"]);
    expect(set.labels).toEqual(Uint32Array.of(2, 0, 1, 2, 0, 1));
    const [third] = (await set.read([3])) as Frames[];
    expect(third.frames).toBe(4);
    expect(third.values).toEqual(Float32Array.from({ length: 20 }, (__, i) => ((60 + i) * 37) % 256));
    set.close();
    await expect(set.read([0])).rejects.toThrow(/was closed/);
  });

  test.each<[string, Uint8Array, LabelledOptions, RegExp]>([
    ["no labels", imagesFile(), {}, /images holds images, but not their classes; give the file of labels/],
    ["labels of other images", imagesFile(), { labels: idxFile([5], [0, 0, 0, 0, 0]) }, /has 5 values for 6 samples/],
    ["images as labels", imagesFile(), { labels: imagesFile() }, /holds 6 x 4 x 5 values; labels are a single list/],
    ["labels as images", labels, { labels }, /holds a single list, which is labels/],
    [
      "a missing end",
      imagesFile().slice(0, 100),
      { labels },
      /should hold 6 x 4 x 5 bytes, 120 bytes, but has 84 bytes .* truncated/,
    ],
    [
      "bytes too many",
      Uint8Array.of(...imagesFile(), 0),
      { labels },
      /but has 121 bytes after its header; it is damaged/,
    ],
    [
      "a claim of terabytes",
      idxFile([65_535, 65_535, 65_535], []),
      { labels },
      /should hold 65535 x 65535 x 65535 bytes, 281 TB/,
    ],
    [
      "floats",
      idxFile([1, 2, 2], new Uint8Array(16), 0x0d),
      { labels },
      /idx values of type 0xd; bytes \(type 0x8\) are read/,
    ],
    [
      "a class without a name",
      imagesFile(),
      { labels, classNames: ["a", "b"] },
      /sample 0 of images has the label 2, but there are only 2 classes/,
    ],
    ["images without pixels", idxFile([6, 0, 5], []), { labels }, /images x rows x columns are needed/],
  ])("%s is refused", async (_, bytes, options, message) => {
    await expect(openLabelledSet("images", bytes, options)).rejects.toThrow(message);
  });
});

describe("events", () => {
  test.each([
    ["tar", tarFile(eventFolder())],
    ["tar.gz", gzFile(tarFile(eventFolder()))],
    ["zip", zipFile(eventFolder())],
    ["tar in reverse", tarFile(Object.fromEntries(Object.entries(eventFolder()).reverse()))],
  ])("a %s of files: classes by folder, in the order of their names", async (_, bytes) => {
    const set = await openLabelledSet("train", bytes);
    expect(set).toMatchObject({ kind: "spikes", size: 8, channels: 2312, classNames: ["0", "1"], columns: {} });
    expect(Array.from(set.labels)).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
    const [first, , third] = (await all(set)) as SpikeTrains[];
    expect(first.timesMs).toEqual(Float32Array.of(0, 0.9, 1.8, 2.7, 3.6));
    // channel = (y * 34 + x) * 2 + polarity
    expect(Array.from(first.units)).toEqual([
      1,
      2 * (3 * 34 + 5),
      2 * (6 * 34 + 10) + 1,
      2 * (9 * 34 + 15),
      2 * (12 * 34 + 20) + 1,
    ]);
    expect(third.units).toHaveLength(7);
  });

  test("times of 23 bits, and the clock's overflow", async () => {
    const bin = eventFile([
      { x: 1, y: 2, polarity: 0, us: 2 ** 23 - 1 },
      { x: 0, y: 240, polarity: 0, us: 0 },
      { x: 1, y: 2, polarity: 0, us: 2 ** 23 - 1 },
    ]);
    const set = await openLabelledSet("one", tarFile({ "0/a.bin": bin }));
    const [{ timesMs }] = (await all(set)) as SpikeTrains[];
    expect(timesMs).toEqual(Float32Array.of((2 ** 23 - 1) / 1000, (2 ** 23 - 1 + 2 ** 13) / 1000));
  });

  test("another sensor, folders with names", async () => {
    const bin = eventFile([{ x: 239, y: 179, polarity: 1, us: 5 }]);
    const files = { "set/cat/1.bin": bin, "set/ant/2.bin": bin, "set/.DS_Store": bin, "set/cat/._1.bin": bin };
    const set = await openLabelledSet("set", zipFile(files), { sensor: { width: 240, height: 180 } });
    expect(set).toMatchObject({ classNames: ["ant", "cat"], channels: 2 * 240 * 180, size: 2 });
    expect(Array.from(set.labels)).toEqual([1, 0]);
    const [{ units }] = (await all(set)) as SpikeTrains[];
    expect(Array.from(units)).toEqual([2 * 240 * 180 - 1]);
    await expect(openLabelledSet("set", zipFile(files))).rejects.toThrow(
      /event 0 of set\/cat\/1.bin of set is at x = 239, y = 179, outside of a sensor of 34 x 34 pixels; give the sensor's size/,
    );
    await expect(openLabelledSet("s", zipFile(files), { sensor: { width: 0, height: 5 } })).rejects.toThrow(
      /the width of the sensor is 0/,
    );
  });

  test("pax and GNU names, a folder entry", async () => {
    const bin = eventFile([{ x: 1, y: 1, polarity: 0, us: 1 }]);
    const long = `${"x".repeat(120)}/7/1.bin`;
    const record = `path=${long}\n`;
    const pax = tarFile({ pax: text(`${record.length + 4} ${record}`), "short/7/1.bin": bin });
    pax[156] = "x".charCodeAt(0);
    const gnu = tarFile({ "././@LongLink": text(`${long}\0`), short: bin });
    gnu[156] = "L".charCodeAt(0);
    for (const bytes of [pax, gnu]) {
      // The kind of an entry is part of its checksum.
      const sum = bytes.subarray(0, 512).reduce((a, b, i) => a + (i >= 148 && i < 156 ? 32 : b), 0);
      bytes.set(text(sum.toString(8).padStart(6, "0")), 148);
      const set = await openLabelledSet("set", bytes, { classNames: ["6", "7"] });
      expect(Array.from(set.labels)).toEqual([1]);
    }
  });

  const whole = tarFile(eventFolder());
  const flipped = whole.slice();
  flipped[1024 + 3] ^= 1;
  const zipped = zipFile(eventFolder());
  const damaged = zipped.slice();
  damaged[60] ^= 1;
  test.each([
    [
      "two sets",
      tarFile({ ...eventFolder("Train"), ...eventFolder("Test") }),
      /holds several sets: Test, Train; unpack it|several sets: Train, Test/,
    ],
    ["no events", tarFile({ "a/b.wav": text("x") }), /holds no event files <class>\/<id>.bin, but a\/b.wav/],
    [
      "half an event",
      tarFile({ "0/a.bin": Uint8Array.of(1, 2, 3) }),
      /0\/a.bin of x has 3 bytes, no whole number of events of 5 bytes/,
    ],
    [
      "a tar cut inside a file",
      whole.slice(0, 520),
      /ends inside a file of 25 bytes at byte 0; the archive is truncated/,
    ],
    ["a tar cut between files", whole.slice(0, 1024), /has no end; the archive is truncated/],
    ["a flipped bit in a tar header", flipped, /the entry at byte 1024 of the archive does not match its checksum/],
    ["a cut zip", zipped.slice(0, zipped.length - 30), /has no zip directory at its end; the archive is truncated/],
    ["a flipped bit in a zip", damaged, /cannot be unpacked|checksum|truncated/],
    [
      "an unknown class",
      tarFile(eventFolder()),
      /the folders of x gives sample 1 the class "1", which is none of 0, 5/,
    ],
  ])("%s is refused", async (what, bytes, message) => {
    const options = what === "an unknown class" ? { classNames: ["0", "5"] } : {};
    await expect(openLabelledSet("x", bytes, options)).rejects.toThrow(message);
    await expect(openLabelledSet("x", bytes, options)).rejects.toMatchObject({ name: "UserError" });
  });
});

describe("npz", () => {
  test("frames with lengths, class names and columns", async () => {
    const set = await openLabelledSet("b.npz", framesNpz());
    expect(set).toMatchObject({ kind: "frames", size: 6, frames: 5, channels: 3, range: [0, 255] });
    expect(set.classNames).toEqual(["A", "B", "Ç"]);
    expect(set.columns).toEqual({ repetition: Int32Array.of(0, 0, 0, 1, 1, 1) });
    const samples = (await all(set)) as Frames[];
    expect(samples.map(({ frames }) => frames)).toEqual([5, 4, 5, 5, 2, 5]);
    expect(samples[4].values).toEqual(Float32Array.from({ length: 6 }, (_, i) => ((60 + i) * 11) % 256));
  });

  test("frames of floats and of 64-bit integers: the range is that of the numbers", async () => {
    const label = { data: Uint8Array.of(0) };
    const samples = { data: Float64Array.of(-1.5, 0, 2, 0.25), shape: [1, 2, 2] };
    const floats = await openLabelledSet("f.npz", npzOf({ samples, label }));
    expect(floats.range).toEqual([-1.5, 2]);
    expect(((await all(floats)) as Frames[])[0].values).toEqual(Float32Array.of(-1.5, 0, 2, 0.25));
    const integers = { data: new BigInt64Array([3n, 3n]), shape: [1, 1, 2] };
    const same = await openLabelledSet("i.npz", npzOf({ samples: integers, label }));
    expect(same.range).toBeUndefined();
    expect(((await all(same)) as Frames[])[0].values).toEqual(Float32Array.of(3, 3));
  });

  test("spikes one sample after the other, labels in words", async () => {
    const set = await openLabelledSet("s.npz", spikesNpz());
    expect(set).toMatchObject({ kind: "spikes", size: 4, channels: 5, durationMs: 750 });
    expect(set.classNames).toEqual(["left", "right", "up"]);
    expect(Array.from(set.labels)).toEqual([0, 1, 0, 2]);
    expect(set.columns).toEqual({ speaker: Int32Array.of(-1, 0, 1, 2) });
    const samples = (await all(set)) as SpikeTrains[];
    expect(samples.map(({ timesMs }) => Array.from(timesMs))).toEqual([[10, 20, 500], [], [0, 250, 750], [125]]);
    expect(samples.map(({ units }) => Array.from(units))).toEqual([[3, 1, 3], [], [0, 2, 2], [4]]);
  });

  test("offsets without the end, times in ms", async () => {
    const arrays = {
      times_ms: { data: Float32Array.of(1, 2, 3) },
      units: { data: Uint8Array.of(0, 1, 0) },
      offsets: { data: Int32Array.of(0, 2) },
      labels: { data: Int32Array.of(0, 1) },
    };
    const samples = (await all(await openLabelledSet("s.npz", npzOf(arrays)))) as SpikeTrains[];
    expect(samples.map(({ timesMs }) => Array.from(timesMs))).toEqual([[1, 2], [3]]);
  });

  test("words of both of NumPy's types", () => {
    const words = ["zero", "", "Ünder", "数字𝄞"];
    for (const letter of ["S", "U"] as const) expect(wordsOfNpy(wordsNpy(words, letter), "w")).toEqual(words);
    expect(wordsOfNpy(npyFile(), "n")).toBeUndefined();
    expect(() => wordsOfNpy(wordsNpy(words, "U").slice(0, -1), "w")).toThrow(
      /w does not hold the 4 words it claims to/,
    );
  });

  const label = { data: Uint8Array.of(0, 1) };
  const spikes = { times: { data: Float64Array.of(1, 2) }, units: { data: Uint8Array.of(0, 1) }, label };
  test.each([
    [
      "another layout",
      npzOf({ spike_times: label, clusters: label }),
      /holds spike_times \(2\), clusters \(2\); labelled samples are "samples"/,
    ],
    [
      "no labels",
      npzOf({ samples: { data: new Uint8Array(8), shape: [2, 2, 2] } }),
      /no array "labels" with their classes; it holds samples \(2 x 2 x 2\)/,
    ],
    [
      "a flat block",
      npzOf({ samples: { data: new Uint8Array(8), shape: [2, 4] }, label }),
      /has the shape 2 x 4; samples x frames x channels are needed/,
    ],
    [
      "labels of others",
      npzOf({ samples: { data: new Uint8Array(3), shape: [3, 1, 1] }, label }),
      /array "label" of x has 2 values for 3 samples/,
    ],
    [
      "labels that are no classes",
      npzOf({ samples: { data: new Uint8Array(2), shape: [2, 1, 1] }, labels: { data: Float64Array.of(0, 0.5) } }),
      /gives sample 1 the label 0.5; labels are whole numbers/,
    ],
    [
      "a number that is none",
      npzOf({ samples: { data: Float32Array.of(1, Number.NaN), shape: [2, 1, 1] }, label }),
      /array "samples" of x holds NaN in sample 1/,
    ],
    [
      "impossible lengths",
      npzOf({ samples: { data: new Uint8Array(2), shape: [2, 1, 1] }, label, length: { data: Uint8Array.of(1, 2) } }),
      /gives sample 1 2 frames; there are 1 to 1/,
    ],
    [
      "fewer units than times",
      npzOf({ ...spikes, units: { data: Uint8Array.of(1) }, offsets: label }),
      /has 2 times and 1 units/,
    ],
    [
      "offsets that fall",
      npzOf({ ...spikes, offsets: { data: Uint8Array.of(0, 2, 1, 2) } }),
      /array "offsets" of x is 1 at place 2/,
    ],
    [
      "offsets that do not reach the end",
      npzOf({ ...spikes, offsets: { data: Uint8Array.of(0, 1, 1) } }),
      /goes from 0 to 1; it must start at 0 and end at 2/,
    ],
  ])("%s is refused", async (_, bytes, message) => {
    await expect(openLabelledSet("x", bytes)).rejects.toThrow(message);
    await expect(openLabelledSet("x", bytes)).rejects.toMatchObject({ name: "UserError" });
  });
});

describe("NWB", () => {
  test("a trial is a sample, a column its class, units are channels", async () => {
    const set = await openLabelledSet("s.nwb", await trialsNwb(), { trials: { label: "side" } });
    expect(set).toMatchObject({ kind: "spikes", size: 12, channels: 4, classNames: ["left", "right"], notes: [] });
    expect(Array.from(set.labels.subarray(0, 4))).toEqual([0, 1, 1, 0]);
    expect(set.columns).toEqual({ block: Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1) });
    const [first] = (await all(set)) as SpikeTrains[];
    // Trial 0 lasts from 1 to 2 s; unit 0 fires at 5 Hz, at 1.1, 1.3, ... 1.9 s.
    const expected = [5, 9, 14, 20].flatMap((hz, unit) =>
      evenSpikes(hz, 26)
        .filter((t) => t >= 1 && t < 2)
        .map((t) => ({ ms: Math.fround(1000 * (t - 1)), unit })),
    );
    expect(first.timesMs).toHaveLength(expected.length);
    const ofUnit = (unit: number) => Array.from(first.timesMs.filter((_, i) => first.units[i] === unit));
    for (let unit = 0; unit < 4; unit++) {
      expect(ofUnit(unit)).toEqual(expected.filter((one) => one.unit === unit).map(({ ms }) => ms));
    }
    expect(first.timesMs).toEqual(first.timesMs.slice().sort());
  });

  test("a window around an event", async () => {
    const trials = { label: "side", event: "go_cue", beforeMs: 100, afterMs: 50 };
    const set = await openLabelledSet("s.nwb", await trialsNwb(), { trials });
    const [first] = (await all(set)) as SpikeTrains[];
    // From 1.4 to 1.55 s: unit 0 at 1.5 s.
    expect(Array.from(first.timesMs.filter((_, i) => first.units[i] === 0))).toEqual([Math.fround(1000 * (1.5 - 1.4))]);
    expect(set.durationMs).toBeLessThan(150);
  });

  test("numbers as classes are in order of size; trials of other classes, or without one, are left out", async () => {
    const trials = {
      start_time: [0, 1, 2, 3, 4, 5, 6],
      stop_time: [1, 2, 3, 4, 5, 6, 7],
      angle: [90, 100, 90, Number.NaN, 100, 5, 5],
    };
    const bytes = await nwbFile({ spikes: [evenSpikes(8, 7)], trials });
    const set = await openLabelledSet("s.nwb", bytes, { trials: { label: "angle" } });
    expect(set.classNames).toEqual(["5", "90", "100"]);
    expect(Array.from(set.labels)).toEqual([1, 2, 1, 2, 0, 0]);
    expect(set.notes).toEqual(['trials left out for having no value in "angle": 1']);
    const some = await openLabelledSet("s.nwb", bytes, { trials: { label: "angle" }, classNames: ["100", "90"] });
    expect(Array.from(some.labels)).toEqual([1, 0, 1, 0]);
    expect(some.notes).toContain("trials left out for being of another class: 2");
  });

  test("units that were not recorded throughout are noted", async () => {
    const trials = { start_time: [0, 3], stop_time: [1, 4], side: ["a", "b"] };
    const observed = [
      [0, 2],
      [0, 10],
    ];
    const bytes = await nwbFile({ spikes: [evenSpikes(8, 2), evenSpikes(8, 10)], trials, observed });
    const set = await openLabelledSet("s.nwb", bytes, { trials: { label: "side" } });
    expect(set.notes).toEqual(["trials in which some unit was not recorded all the time, and looks silent: 1"]);
  });

  const filtered = () => {
    const trials = {
      start_time: [0, 1, 2, 3],
      stop_time: [1, 2, 3, 4],
      side: ["a", "b", "a", "b"],
      outcome: ["hit", "miss", "hit", "hit"],
      early: [0, 0, 1, 0],
    };
    const unitColumns = { quality: ["good", "mua", "good"], area: ["ALM", "ALM", "V1"] };
    const spikes = [evenSpikes(3, 4), evenSpikes(5, 4), evenSpikes(7, 4)];
    return nwbFile({ spikes, trials, unitColumns });
  };

  test("only trials and units that have a value", async () => {
    const open = async (options: Partial<NwbTrialOptions>) =>
      openLabelledSet("s.nwb", await filtered(), { trials: { label: "side", ...options } });
    const hits = await open({ trialsWhere: { outcome: "hit", early: false }, unitsWhere: { quality: "good" } });
    expect(hits).toMatchObject({ size: 2, channels: 2, classNames: ["a", "b"] });
    expect(hits.notes).toEqual(["trials left out by trialsWhere: 2", "units left out by unitsWhere: 1"]);
    // Trials 0 and 3, units 0 and 2: 3 and 7 spikes in each second, on channels 0 and 1.
    for (const { units } of (await all(hits)) as SpikeTrains[]) {
      expect([0, 1].map((channel) => units.filter((unit) => unit === channel).length)).toEqual([3, 7]);
    }
    expect(await open({ trialsWhere: {}, unitsWhere: {} })).toMatchObject({ size: 4, channels: 3, notes: [] });
  });

  test.each<[Partial<NwbTrialOptions>, RegExp]>([
    [
      { trialsWhere: { outcom: "hit" } },
      /"intervals\/trials" of s.nwb has no column "outcom" — did you mean "outcome"\?/,
    ],
    [{ unitsWhere: { qualities: "good" } }, /"units" of s.nwb has no column "qualities" — did you mean "quality"\?/],
    [
      { trialsWhere: { outcome: "late" } },
      /no row of "intervals\/trials" of s.nwb has outcome = "late"; its values are hit, miss/,
    ],
    [{ unitsWhere: { quality: "god" } }, /no row of "units" of s.nwb has quality = "god" — did you mean "good"\?/],
    [{ unitsWhere: { quality: "mua", area: "V1" } }, /no unit of s.nwb has all values of unitsWhere/],
    [
      { trialsWhere: { outcome: "miss", early: true } },
      /no trial of s.nwb can be used; trials left out by trialsWhere: 4/,
    ],
  ])("%j is refused", async (options, message) => {
    const trials = { label: "side", ...options };
    await expect(openLabelledSet("s.nwb", await filtered(), { trials })).rejects.toThrow(message);
  });

  test.each<[string, LabelledOptions, RegExp]>([
    ["no label", {}, /does not say which column of its trials is the class; choose one \(label\): block, go_cue, side/],
    ["a misspelt column", { trials: { label: "sid" } }, /has no column "sid" — did you mean "side"\?/],
    ["a measurement", { trials: { label: "go_cue" } }, /has 12 different values in 12 trials; that is a measurement/],
    ["a window of nothing", { trials: { label: "side", afterMs: -5 } }, /are not longer than 0 ms/],
    [
      "an event in words",
      { trials: { label: "side", event: "side" } },
      /column "side" of s.nwb holds words; a time in s/,
    ],
    [
      "classes that nobody has",
      { trials: { label: "side" }, classNames: ["up"] },
      /no trial of s.nwb can be used; trials left out for being of another class: 12/,
    ],
  ])("%s is refused", async (_, options, message) => {
    await expect(openLabelledSet("s.nwb", await trialsNwb(), options)).rejects.toThrow(message);
  });
});

test.each([
  ["a text", text("label,1,2\n3,4,5\n"), /x is a text, without classes of samples. Labelled samples may be HDF5/],
  ["one array", npyFile(), /x is a single array, without classes/],
  [
    "a pickle",
    Uint8Array.of(0x80, 4, 0x95, 1, 2, 3),
    /a Python pickle, which can run code when read; save arrays with np\.savez$/,
  ],
  ["noise", Uint8Array.from({ length: 99 }, (_, i) => (i * 31) % 7), /is of an unknown kind.*Labelled samples may be/],
  ["nothing", new Uint8Array(0), /x is empty/],
  ["gzip in gzip", gzFile(gzFile(text("abc"))), /x is packed twice by gzip; unpack it once/],
])("%s is no labelled set", async (_, bytes, message) => {
  await expect(openLabelledSet("x", bytes)).rejects.toThrow(message);
});

const samples = process.env.VOLLEY_SAMPLES;
test.runIf(samples !== undefined)("real files", async () => {
  const read = (path: string) => new Uint8Array(readFileSync(`${samples}/${path}`));
  const braille = await openLabelledSet("b", read("braille-tactile/braille_train.npz"));
  expect(braille).toMatchObject({ size: 918, frames: 77, channels: 12 });
  expect(braille.classNames).toHaveLength(27);
  const labels = read("mnist/t10k-labels-idx1-ubyte.gz");
  const mnist = await openLabelledSet("m", read("mnist/t10k-images-idx3-ubyte.gz"), { labels });
  expect(mnist).toMatchObject({ size: 10_000, frames: 28, channels: 28 });
  const nmnist = await openLabelledSet("n", read("nmnist-small/test.tar.gz"));
  expect(nmnist).toMatchObject({ size: 67, channels: 2312 });
});
