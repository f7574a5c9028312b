/** Samples whose classes nobody knows: read where that is allowed, refused elsewhere. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { evenSpikes, nwbFile } from "../../../test/data/make-files.ts";
import {
  eventFolder,
  imageLabelsFile,
  imagesFile,
  npzOf,
  shdFile,
  tarFile,
  wordsNpy,
  zipFile,
} from "../../../test/data/make-labelled-files.ts";
import { writeNpy } from "../formats/npy.ts";
import { noLabel } from "../labelled-set.ts";
import { openLabelledFile } from "./open-labelled-set.node.ts";
import { openLabelledSet } from "./open-labelled-set.ts";
import type { LabelledOptions } from "./options.ts";

/** An array of Python objects. */
function objectsNpy(): Uint8Array {
  const bytes = wordsNpy(["a", "b"], "U");
  const at = new TextDecoder("latin1").decode(bytes).indexOf("<U1");
  bytes.set(new TextEncoder().encode("|O"), at);
  bytes[at + 2] = "'".charCodeAt(0);
  bytes[at + 3] = " ".charCodeAt(0);
  return bytes;
}

const folder = mkdtempSync(join(tmpdir(), "volley-unlabelled-"));
afterAll(() => rmSync(folder, { recursive: true }));

const spikes = {
  times: { data: Float64Array.of(0.01, 0.02, 0.5) },
  units: { data: Uint8Array.of(3, 1, 3) },
  offsets: { data: Uint8Array.of(0, 1, 3) },
};
const frames = { samples: { data: Uint8Array.from({ length: 12 }, (_, i) => i), shape: [2, 3, 2] } };
const loose = (): Record<string, Uint8Array> =>
  Object.fromEntries(Object.values(eventFolder()).map((bytes, i) => [`${i}.bin`, bytes]));
const trials = { start_time: [0, 1, 2], stop_time: [1, 2, 3] };
const nwb = () => nwbFile({ spikes: [evenSpikes(8, 7)], trials });

const sets: [name: string, make: () => Uint8Array | Promise<Uint8Array>, size: number, options: LabelledOptions][] = [
  ["SHD", () => shdFile(5, { labels: undefined }), 5, {}],
  ["idx", imagesFile, 6, {}],
  ["npz of frames", () => npzOf(frames), 2, {}],
  ["npz of spikes", () => npzOf(spikes), 2, {}],
  ["events in a tar", () => tarFile(loose()), 8, {}],
  ["events in a zip", () => zipFile(loose()), 8, {}],
  ["NWB", nwb, 3, { trials: { label: "side" } }],
];

describe.each(sets)("%s without labels", (name, make, size, options) => {
  test("is read where samples may lack a class, with the classes that are named", async () => {
    const bytes = await make();
    const set = await openLabelledSet(name, bytes, { ...options, allowUnlabelled: true, classNames: ["no", "yes"] });
    expect(set.size).toBe(size);
    expect(Array.from(set.labels)).toEqual(new Array(size).fill(noLabel));
    expect(set.classNames).toEqual(["no", "yes"]);
    expect(await set.read([size - 1])).toHaveLength(1);
    const nameless = await openLabelledSet(name, bytes, { ...options, allowUnlabelled: true });
    expect(nameless.classNames).toEqual([]);
  });

  test("is refused elsewhere", async () => {
    await expect(openLabelledSet(name, await make(), options)).rejects.toMatchObject({ name: "UserError" });
  });
});

test("labels that are there are read as ever", async () => {
  const [plain, allowed] = await Promise.all(
    [false, true].map((allowUnlabelled) => openLabelledSet("x.h5", shdFile(), { allowUnlabelled })),
  );
  expect(allowed.labels).toEqual(plain.labels);
  expect(allowed.classNames).toEqual(plain.classNames);
});

test("some trials of NWB have a class, others none or one that is not wanted", async () => {
  const side = ["left", "", "up", "right"];
  const some = { start_time: [0, 1, 2, 3], stop_time: [1, 2, 3, 4], side };
  const bytes = await nwbFile({ spikes: [evenSpikes(8, 7)], trials: some });
  const options = { trials: { label: "side" }, classNames: ["right", "left"], allowUnlabelled: true };
  const set = await openLabelledSet("s.nwb", bytes, options);
  expect(Array.from(set.labels)).toEqual([1, noLabel, noLabel, 0]);
});

test("event files to be classified may lie in a folder of any name", async () => {
  const bytes = tarFile({ ...eventFolder("set"), "set/new/00009.bin": eventFolder()["Train/0/00001.bin"] });
  const options = { classNames: ["0", "1"] };
  const set = await openLabelledSet("e.tar", bytes, { ...options, allowUnlabelled: true });
  expect(Array.from(set.labels)).toEqual([0, 1, 0, 1, 0, 1, 0, 1, noLabel]);
  await expect(openLabelledSet("e.tar", bytes, options)).rejects.toThrow(/the class "new", which is none of 0, 1/);
});

test.each<[string, Uint8Array, RegExp]>([
  [
    "numbers",
    npzOf({ rates: { data: new Float64Array(6), shape: [2, 3] } }),
    /x holds rates \(2 x 3\); labelled samples/,
  ],
  ["other files", zipFile({ "notes.txt": new Uint8Array(9) }), /holds no event files .*, but notes\.txt/],
  [
    "samples whose labels are Python objects",
    zipFile({ "samples.npy": writeNpy(new Uint8Array(8), [2, 2, 2]), "labels.npy": objectsNpy() }),
    /array "labels" of x holds neither numbers nor a list of words/,
  ],
  ["a table", new TextEncoder().encode("a,b\n1,2\n3,4\n"), /x is a text, without classes of samples/],
])("%s are no samples, labelled or not", async (_, bytes, message) => {
  await expect(openLabelledSet("x", bytes, { allowUnlabelled: true })).rejects.toThrow(message);
});

test("images on disk need no file of labels beside them, but use one that is there", async () => {
  const path = join(folder, "t10k-images-idx3-ubyte");
  writeFileSync(path, imagesFile());
  const lone = await openLabelledFile(path, { allowUnlabelled: true });
  expect(new Set(lone.labels)).toEqual(new Set([noLabel]));
  lone.close();
  writeFileSync(join(folder, "t10k-labels-idx1-ubyte"), imageLabelsFile());
  const both = await openLabelledFile(path, { allowUnlabelled: true });
  expect(Array.from(both.labels)).toEqual([2, 0, 1, 2, 0, 1]);
  both.close();
});
