import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  eventFolder,
  framesNpz,
  gzFile,
  imageLabelsFile,
  imagesFile,
  shdFile,
  spikesNpz,
  tarFile,
  trialsNwb,
  zipFile,
} from "../../../test/data/make-labelled-files.ts";
import { exitCode, UserError } from "../../base/errors.ts";
import type { LabelledSet } from "../labelled-set.ts";
import { type OpenOptions, openLabelledFile } from "./open-labelled-set.node.ts";
import { openLabelledSet } from "./open-labelled-set.ts";
import { SpillingRecords } from "./record-store.node.ts";
import { temporaryFailed } from "./temporary-file.node.ts";

let folder: string;
let temporaryFolder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "volley-labelled-"));
  temporaryFolder = join(folder, "temporary");
  mkdirSync(temporaryFolder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function save(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** Everything but name and methods, and all samples, read in an order of their own. */
async function contents(set: LabelledSet) {
  const { name: _, read, close: __, ...facts } = set;
  const order = Array.from({ length: set.size }, (___, i) => (i * 7 + 3) % set.size);
  return { ...facts, samples: await read(order) };
}

const sets: [string, () => Uint8Array | Promise<Uint8Array>, OpenOptions][] = [
  ["shd.h5", () => shdFile(150), {}],
  ["shd.h5.gz", () => gzFile(shdFile(150)), {}],
  ["events.tar", () => tarFile(eventFolder()), {}],
  ["events.tar.gz", () => gzFile(tarFile(eventFolder())), {}],
  ["events.zip", () => zipFile(eventFolder()), {}],
  ["frames.npz", framesNpz, {}],
  ["spikes.npz", spikesNpz, {}],
  ["trials.nwb", trialsNwb, { trials: { label: "side" } }],
  ["a-images-idx3", imagesFile, {}],
  ["a-images-idx3.gz", () => gzFile(imagesFile()), {}],
];

describe.each(sets)("%s", (name, make, options) => {
  test.each([
    ["in memory", 2 ** 20],
    ["in a temporary file", 0],
    ["in a temporary file from some sample on", 300],
  ])("by path, spikes %s: the same samples as from bytes", async (_, memoryBytes) => {
    const bytes = await make();
    save("a-labels-idx1", imageLabelsFile());
    const set = await openLabelledFile(save(name, bytes), { ...options, memoryBytes, temporaryFolder });
    const expected = await openLabelledSet(name, bytes, { ...options, labels: imageLabelsFile() });
    expect(await contents(set)).toEqual(await contents(expected));
    // Temporary files are removed as soon as they are open: nothing is left whatever ends the process.
    if (process.platform !== "win32") expect(readdirSync(temporaryFolder)).toEqual([]);
    set.close();
    set.close();
    expect(readdirSync(temporaryFolder)).toEqual([]);
    await expect(set.read([0])).rejects.toThrow(/was closed before its samples were read/);
  });

  test("truncated, it is refused and nothing is left open", async () => {
    const bytes = await make();
    save("a-labels-idx1", imageLabelsFile());
    const path = save(name, bytes.slice(0, Math.floor(bytes.length * 0.6)));
    const openFiles = () => (process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0);
    const before = openFiles();
    for (let i = 0; i < 20; i++) {
      await expect(openLabelledFile(path, { ...options, temporaryFolder })).rejects.toBeInstanceOf(UserError);
    }
    expect(readdirSync(temporaryFolder)).toEqual([]);
    expect(openFiles()).toBeLessThan(before + 10);
  });
});

test("a folder of events is what its archive is", async () => {
  for (const [path, bytes] of Object.entries(eventFolder())) save(path, bytes);
  save("Train/README.txt", new Uint8Array(5));
  const set = await openLabelledFile(join(folder, "Train"));
  const expected = await openLabelledSet("x", tarFile(eventFolder()));
  expect(await contents(set)).toEqual(await contents(expected));
});

describe("labels of images", () => {
  test.each([
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"],
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz"],
    ["train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte"],
  ])("of %s are found in %s", async (images, labels) => {
    const packed = (name: string, bytes: Uint8Array) => save(name, name.endsWith(".gz") ? gzFile(bytes) : bytes);
    packed(labels, imageLabelsFile());
    const set = await openLabelledFile(packed(images, imagesFile()), { temporaryFolder });
    expect(Array.from(set.labels)).toEqual([2, 0, 1, 2, 0, 1]);
    set.close();
  });

  test("named, or missing", async () => {
    const images = save("pictures", imagesFile());
    const labelsFile = save("classes", imageLabelsFile());
    expect((await openLabelledFile(images, { labelsFile })).size).toBe(6);
    await expect(openLabelledFile(images)).rejects.toThrow(
      /holds images without classes, and there is no file of labels/,
    );
    await expect(openLabelledFile(images, { labelsFile: join(folder, "nothing") })).rejects.toThrow(
      /there is no file .*nothing/,
    );
    const lone = save("t10k-images-idx3-ubyte.gz", gzFile(imagesFile()));
    await expect(openLabelledFile(lone)).rejects.toThrow(
      /no file of labels beside it \(t10k-labels-idx1-ubyte, plain or .gz\)/,
    );
  });
});

test("files that are not there, folders without a set, damaged packing", async () => {
  await expect(openLabelledFile(join(folder, "nowhere.h5"))).rejects.toMatchObject({
    name: "UserError",
    exitCode: exitCode.noInput,
    message: expect.stringMatching(/there is no file .*nowhere.h5/),
  });
  await expect(openLabelledFile(folder)).rejects.toThrow(/holds no event files <class>\/<id>.bin/);
  const packed = gzFile(shdFile(200));
  const cut = save("cut.h5.gz", packed.slice(0, packed.length - 50));
  await expect(openLabelledFile(cut)).rejects.toThrow(
    /cut.h5.gz ends in the middle of its packed data; it is truncated/,
  );
  packed[packed.length - 6] ^= 1;
  await expect(openLabelledFile(save("bad.h5.gz", packed))).rejects.toThrow(/bad.h5.gz cannot be unpacked .* damaged/);
});

test("a temporary folder that cannot be used is named, with what to do", async () => {
  const missing = join(folder, "missing");
  const path = save("set.h5.gz", gzFile(shdFile()));
  await expect(openLabelledFile(path, { temporaryFolder: missing })).rejects.toThrow(
    /the temporary folder .*missing cannot be written to; .* set TMPDIR to a folder on a larger disk/,
  );
  const full = temporaryFailed("/t", Object.assign(new Error("x"), { code: "ENOSPC" }));
  expect(full).toMatchObject({
    exitCode: exitCode.io,
    message: expect.stringMatching(/the temporary folder \/t is full/),
  });
  const ours = new Error("a fault of ours");
  expect(temporaryFailed("/t", ours)).toBe(ours);
});

test("records come back as they were, whatever their sizes and the memory for them", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3000 }), { maxLength: 40 }), fc.nat({ max: 20_000 }), (sizes, budget) => {
      const store = new SpillingRecords(budget, temporaryFolder);
      const made = sizes.map((size, i) => Uint8Array.from({ length: size }, (_, k) => (k * 31 + i) % 251));
      for (const record of made) store.append(record);
      made.forEach((_, i) => {
        const index = (i * 7) % made.length;
        expect(Buffer.compare(store.record(index), made[index])).toBe(0);
      });
      store.close();
    }),
    { numRuns: 60 },
  );
  // More than is written at once, and a record longer than that.
  const store = new SpillingRecords(0, temporaryFolder);
  const long = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) % 256);
  for (const part of [long.subarray(0, 700_000), long, new Uint8Array(0), long.subarray(5)]) store.append(part);
  expect(Buffer.compare(store.record(1), long)).toBe(0);
  expect(store.record(2)).toHaveLength(0);
  expect(Buffer.compare(store.record(3), long.subarray(5))).toBe(0);
  store.close();
});

const samples = process.env.VOLLEY_SAMPLES;
test.runIf(samples !== undefined)("10 million spikes, in memory and not", async () => {
  const path = `${samples}/fsdd-spikes/fsdd_train.h5.gz`;
  const held = await openLabelledFile(path, { memoryBytes: 2 ** 30 });
  const spilled = await openLabelledFile(path, { memoryBytes: 2 ** 20 });
  expect(held).toMatchObject({ size: 1800, channels: 700 });
  const indices = Array.from({ length: 50 }, (_, i) => (i * 7919) % 1800);
  expect(await spilled.read(indices)).toEqual(await held.read(indices));
  held.close();
  spilled.close();
});
