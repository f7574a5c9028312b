/** From indices of a labelled set to what the engine takes: read, augment, encode. */

import { streamKind } from "../../random/streams.ts";
import type { LabelledSet, Sample, StepEvents } from "../labelled-set.ts";
import type { Encoder } from "./encoder.ts";
import type { AugmentationPlan } from "./make-augmentation.ts";
import { below, SampleDraws } from "./sample-draws.ts";

export interface PreparationOptions {
  readonly set: Pick<LabelledSet, "labels" | "read">;
  readonly encoder: Encoder;
  readonly seed: number;
  /** Left out: samples stay as recorded, as for validation and tests. */
  readonly augmentation?: AugmentationPlan;
  /** Samples that may be partners of a blend; needed for those only, and never to hold one that is held out. */
  readonly partners?: ArrayLike<number>;
}

/**
 * Prepares samples. What comes out for a sample depends on the seed, the epoch and the sample alone, not on the batch it
 * is in.
 */
export class SamplePreparation {
  readonly #options: PreparationOptions;
  readonly #augmentationDraws: SampleDraws;
  readonly #encodingDraws: SampleDraws;
  /** Possible partners by class. */
  readonly #partners = new Map<number, number[]>();

  constructor(options: PreparationOptions) {
    this.#options = options;
    this.#augmentationDraws = new SampleDraws(options.seed, streamKind.augmentation);
    this.#encodingDraws = new SampleDraws(options.seed, streamKind.encoding);
    const { augmentation, partners, set } = options;
    if (!(augmentation !== undefined && augmentation.blendShare > 0)) return;
    if (partners === undefined) throw new Error("samples are to be blended, but nobody said with which");
    for (const index of Array.from(partners)) {
      const label = set.labels[index];
      const members = this.#partners.get(label);
      if (members === undefined) this.#partners.set(label, [index]);
      else members.push(index);
    }
  }

  /** @param epoch 0 for samples that are only looked at, from 1 while training. */
  async prepare(epoch: number, indices: ArrayLike<number>): Promise<StepEvents[]> {
    const { set, encoder, augmentation } = this.#options;
    const own = Array.from(indices);
    const partners = own.map((index) => this.#partnerOf(epoch, index));
    const wanted = partners.filter((partner) => partner !== undefined);
    const samples = await set.read([...own, ...wanted]);
    let nextPartner = own.length;
    return own.map((index, i) => {
      const partner = partners[i] === undefined ? undefined : samples[nextPartner++];
      let sample: Sample = samples[i];
      if (augmentation !== undefined && sample.kind === "spikes") {
        const other = partner?.kind === "spikes" ? partner : undefined;
        sample = augmentation.augment(sample, this.#augmentationDraws.at(epoch, index), other);
      }
      return encoder.encode(sample, this.#encodingDraws.at(epoch, index));
    });
  }

  /** With whom a sample is blended in an epoch, if at all: any other of its class, each equally likely. */
  #partnerOf(epoch: number, index: number): number | undefined {
    const { augmentation, set } = this.#options;
    const members = this.#partners.get(set.labels[index])?.filter((member) => member !== index) ?? [];
    if (augmentation === undefined || members.length === 0) return undefined;
    const draws = this.#augmentationDraws.at(epoch, index, 1);
    return draws.uniform() <= augmentation.blendShare ? members[below(draws, members.length)] : undefined;
  }
}
