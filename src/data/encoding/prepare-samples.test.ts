import { expect, it } from "vitest";
import { streamKind } from "../../random/streams.ts";
import type { StepEvents } from "../labelled-set.ts";
import { shdLike } from "./generators/shd-like.ts";
import { makeAugmentation } from "./make-augmentation.ts";
import { makeEncoder } from "./make-encoder.ts";
import { SamplePreparation } from "./prepare-samples.ts";
import { SampleDraws } from "./sample-draws.ts";

const set = shdLike({ seed: 1, samples: 60, classes: 4, channels: 50, spikes: 200 });
const info = { kind: "spikes", channels: 50, durationMs: 1000 } as const;
const encoder = makeEncoder({ type: "bin", dtMs: 4, durationMs: 1000 }, info);
const training = Array.from({ length: 40 }, (_, i) => i);

function preparation(): SamplePreparation {
  const augmentation = makeAugmentation([{ type: "blend" }, { type: "shiftChannels", max: 5 }], info);
  return new SamplePreparation({ set, encoder, seed: 9, augmentation, partners: training });
}

it("prepares a sample the same in whatever batch, order and company", async () => {
  const together = await preparation().prepare(2, [5, 17, 3, 30]);
  const other = preparation();
  const [separate, concurrent] = await Promise.all([other.prepare(2, [30, 8]), other.prepare(2, [3])]);
  expect(separate[0]).toEqual(together[3]);
  expect(concurrent[0]).toEqual(together[2]);
  expect((await preparation().prepare(3, [5]))[0]).not.toEqual(together[0]);
});

it("gives about half of the samples a partner of their class, never one that is held out", async () => {
  const asked: number[][] = [];
  const watched = {
    labels: set.labels,
    read(indices: ArrayLike<number>) {
      asked.push(Array.from(indices));
      return set.read(indices);
    },
  };
  const augmentation = makeAugmentation([{ type: "blend" }], info);
  const prepared = new SamplePreparation({ set: watched, encoder, seed: 9, augmentation, partners: training });
  for (let epoch = 1; epoch <= 10; epoch++) for (const i of training) await prepared.prepare(epoch, [i]);
  const partners = asked.filter((indices) => indices.length === 2);
  expect(Math.abs(partners.length - 200)).toBeLessThan(40);
  for (const [own, partner] of partners) {
    expect(partner).not.toBe(own);
    expect(partner).toBeLessThan(40);
    expect(set.labels[partner]).toBe(set.labels[own]);
  }
  expect(new Set(partners.map(([, partner]) => partner)).size).toBeGreaterThan(35);
  expect(() => new SamplePreparation({ set, encoder, seed: 9, augmentation })).toThrow("nobody said with which");
});

it("without augmentation it is the encoder alone", async () => {
  const plain: StepEvents[] = await new SamplePreparation({ set, encoder, seed: 9 }).prepare(0, [41, 2]);
  const draws = new SampleDraws(9, streamKind.encoding);
  const samples = await set.read([41, 2]);
  expect(plain).toEqual(samples.map((sample) => encoder.encode(sample, draws.at(0, 0))));
});
