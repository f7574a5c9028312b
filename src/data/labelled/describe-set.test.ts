import { expect, test } from "vitest";
import { framesNpz, imageLabelsFile, imagesFile, spikesNpz } from "../../../test/data/make-labelled-files.ts";
import { describeSet } from "./describe-set.ts";
import { openLabelledSet } from "./open-labelled-set.ts";

test("spikes: counts, durations, rate, classes, columns", async () => {
  const summary = await describeSet(await openLabelledSet("s.npz", spikesNpz()));
  expect(summary).toEqual({
    name: "s.npz",
    kind: "spikes",
    samples: 4,
    channels: 5,
    shape: null,
    activeChannels: 5,
    classes: [
      { name: "left", samples: 2 },
      { name: "right", samples: 1 },
      { name: "up", samples: 1 },
    ],
    unlabelled: 0,
    columns: { speaker: { values: [-1, 0, 1, 2].map((value) => ({ value, samples: 1 })), different: 4 } },
    spikes: {
      total: 7,
      perSample: { lowest: 0, mean: 7 / 4, highest: 3 },
      // The last spikes fall on 500, none, 750 and 125 ms.
      durationMs: { lowest: 0, mean: 1375 / 4, highest: 750 },
      rateHz: 7 / (5 * 1.375),
    },
    frames: null,
    notes: ["samples without spikes: 1"],
  });
});

test("samples without a class are counted apart", async () => {
  const bytes = imagesFile();
  const labelled = await describeSet(await openLabelledSet("i", bytes, { labels: imageLabelsFile() }));
  expect(labelled).toMatchObject({
    unlabelled: 0,
    shape: [4, 5, 1],
    classes: ["0", "1", "2"].map((name) => ({ name, samples: 2 })),
  });
  const options = { allowUnlabelled: true, classNames: ["a"] };
  expect(await describeSet(await openLabelledSet("i", bytes, options))).toMatchObject({
    unlabelled: 6,
    classes: [{ name: "a", samples: 0 }],
  });
});

test("frames: how many, and their numbers", async () => {
  const summary = await describeSet(await openLabelledSet("f.npz", framesNpz()));
  const frames = [5, 4, 5, 5, 2, 5];
  const values = frames.flatMap((count, sample) =>
    Array.from({ length: 3 * count }, (_, i) => ((15 * sample + i) * 11) % 256),
  );
  expect(summary).toMatchObject({ kind: "frames", samples: 6, channels: 3, activeChannels: 3, spikes: null });
  expect(summary.frames!.perSample).toEqual({ lowest: 2, mean: 26 / 6, highest: 5 });
  expect(summary.frames!.values).toEqual({
    lowest: Math.min(...values),
    mean: values.reduce((a, b) => a + b, 0) / values.length,
    highest: Math.max(...values),
  });
});
