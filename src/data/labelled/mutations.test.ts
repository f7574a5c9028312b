/**
 * Damaged files. Whatever happened to a file, the result is a set that obeys the rules or a UserError that says what is
 * wrong: no other exception, no endless loop, no time that is not a number, no unit that is no channel.
 *
 * VOLLEY_MUTATIONS=10000 VOLLEY_MUTATION_SEED=7 makes it another, longer run.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
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
import { mutation } from "../../../test/data/mutate.ts";
import { UserError } from "../../base/errors.ts";
import type { LabelledSet, Sample } from "../labelled-set.ts";
import { openLabelledSet } from "./open-labelled-set.ts";
import type { LabelledOptions } from "./options.ts";

const numRuns = Number(process.env.VOLLEY_MUTATIONS ?? 500);
const seed = Number(process.env.VOLLEY_MUTATION_SEED ?? 20_261_121);

const labels = imageLabelsFile();

/** Name, file, options, samples, and the least share of damage that is noticed: bytes of images all mean something. */
const formats: [string, () => Uint8Array | Promise<Uint8Array>, LabelledOptions, number, number][] = [
  ["shd.h5", () => shdFile(40), {}, 40, 0.3],
  ["shd.h5.gz", () => gzFile(shdFile(40)), {}, 40, 0.8],
  ["images.idx", imagesFile, { labels }, 6, 0.3],
  ["images.idx.gz", () => gzFile(imagesFile()), { labels }, 6, 0.8],
  ["events.tar", () => tarFile(eventFolder()), {}, 8, 0.2],
  ["events.tar.gz", () => gzFile(tarFile(eventFolder())), {}, 8, 0.8],
  ["events.zip", () => zipFile(eventFolder()), {}, 8, 0.4],
  ["frames.npz", framesNpz, {}, 6, 0.5],
  ["spikes.npz", spikesNpz, {}, 4, 0.5],
  ["trials.nwb", trialsNwb, { trials: { label: "side" } }, 12, 0.2],
];

async function obeysRules(set: LabelledSet): Promise<void> {
  expect(set.size).toBeGreaterThan(0);
  expect(set.channels).toBeGreaterThan(0);
  expect(set.labels).toHaveLength(set.size);
  expect(set.labels.every((label) => label < set.classNames.length)).toBe(true);
  for (const column of Object.values(set.columns)) expect(column).toHaveLength(set.size);
  const samples = await set.read(Array.from({ length: set.size }, (_, i) => i));
  // An `expect` for each of so many samples would take longer than reading them.
  for (const [i, sample] of samples.entries()) {
    const fault = sample.kind === set.kind ? faultOf(sample, set) : `it is of kind ${sample.kind}`;
    if (fault !== null) expect.fail(`sample ${i}: ${fault}`);
  }
}

function faultOf(sample: Sample, set: LabelledSet): string | null {
  if (sample.kind === "frames") {
    const { frames, values } = sample;
    if (!(frames >= 1 && frames <= set.frames!)) return `${frames} frames`;
    if (values.length !== frames * set.channels) return `${values.length} values in ${frames} frames`;
    return values.every(Number.isFinite) ? null : "values that are no numbers";
  }
  const { timesMs, units } = sample;
  if (timesMs.length !== units.length) return `${timesMs.length} times of ${units.length} spikes`;
  const bad = timesMs.findIndex((time, i) => !(time >= (i === 0 ? 0 : timesMs[i - 1]) && time <= set.durationMs!));
  if (bad >= 0) return `the time of spike ${bad} is ${timesMs[bad]}`;
  return units.every((unit) => unit < set.channels) ? null : "units that are no channels";
}

describe.each(formats)("%s", (name, make, options, size, noticed) => {
  test("whole, it has all samples", async () => {
    const set = await openLabelledSet(name, await make(), options);
    await obeysRules(set);
    expect(set).toMatchObject({ name, size });
  });

  test(`damaged in ${numRuns} ways, it reads by the rules or ends in a UserError`, async () => {
    const whole = await make();
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(mutation(whole.length), async (damage) => {
        let set: LabelledSet;
        try {
          set = await openLabelledSet(name, damage(whole), options);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message.length).toBeGreaterThan(20);
          refused++;
          return;
        }
        await obeysRules(set);
        set.close();
      }),
      { numRuns, seed },
    );
    // If little damage were noticed, the checks would not be running.
    expect(refused).toBeGreaterThan(numRuns * noticed);
  }, 600_000);
});
