/**
 * Spikes that burden an engine as the Spiking Heidelberg Digits do: 700 channels, about 7900 spikes within 1000 ms, 20
 * classes, several speakers. It is for measuring speed and for tests without files; it is not speech, and accuracies say
 * nothing about SHD.
 *
 * A word is four bands ("formants"). Band b of class c is loudest at a time of its own and moves over the channels as
 *
 *   centre_b(t) = middle_b + reach_b sin(2 pi (cycles_b t / T + phase_b)),   loudness_b(t) = exp(-((t - t_b) / w_b)^2 / 2)
 *
 * Spikes are a Poisson process of constant rate; one in ten falls on any channel, each other on a band, chosen by
 * loudness, normally distributed about its centre. A speaker shifts all bands and speaks faster or slower.
 */

import { exp, log } from "../../../math/elementary.ts";
import { type Draws, openDraws } from "../../../random/draws.ts";
import type { LabelledSet, SpikeTrains } from "../../labelled-set.ts";
import { checkNumber } from "../check.ts";
import { below } from "../sample-draws.ts";
import { generatedSet } from "./generated-set.ts";
import { sinOfTurns } from "./sin-of-turns.ts";

export interface ShdLikeOptions {
  readonly seed: number;
  readonly samples: number;
  /** Default 20. */
  readonly classes?: number;
  /** Default 700. */
  readonly channels?: number;
  /** Default 1000. */
  readonly durationMs?: number;
  /** Mean number per sample. Default 7900. */
  readonly spikes?: number;
  /** Default 10. */
  readonly speakers?: number;
}

const bands = 4;
/** Time points per word at which the bands are tabulated. */
const frames = 100;
const backgroundShare = 0.1;
/** Standard deviation of a band, as a share of the channels. */
const bandWidth = 0.03;
/** Largest shift by a speaker and by a sample, as shares of the channels; largest change of speed. */
const speakerShift = 0.05;
const sampleShift = 0.01;
const speedChange = 0.15;

/** `[frame][band]`: centres as shares of the channels, and loudness summed over the bands up to this one. */
interface Word {
  readonly centres: Float64Array;
  readonly cumulative: Float64Array;
}

/** Sample i is of class i mod classes; column `speaker`. Samples are drawn when they are read. */
export function shdLike(options: ShdLikeOptions): LabelledSet {
  const { seed, samples, classes = 20, channels = 700, durationMs = 1000, spikes = 7900, speakers = 10 } = options;
  checkNumber("SHD-like set: samples", samples, { min: 1, max: 2 ** 23, whole: true });
  checkNumber("SHD-like set: classes", classes, { min: 1, max: 1e4, whole: true });
  checkNumber("SHD-like set: channels", channels, { min: 1, max: 2 ** 24, whole: true });
  checkNumber("SHD-like set: speakers", speakers, { min: 1, max: 1e4, whole: true });
  checkNumber("SHD-like set: durationMs", durationMs, { above: 0, max: 1e6 });
  checkNumber("SHD-like set: spikes", spikes, { above: 0, max: 1e7 });
  const words = Array.from({ length: classes }, (_, label) => drawWord(openDraws(seed, `SHD-like: class ${label}`)));
  const voices = Array.from({ length: speakers }, (_, speaker) => {
    const draws = openDraws(seed, `SHD-like: speaker ${speaker}`);
    return { shift: symmetric(draws, speakerShift), speed: 1 + symmetric(draws, speedChange) };
  });
  const labels = Uint32Array.from({ length: samples }, (_, i) => i % classes);
  const speaker = Int32Array.from({ length: samples }, (_, i) => Math.floor(i / classes) % speakers);

  function sample(index: number): SpikeTrains {
    const draws = openDraws(seed, `SHD-like: sample ${index}`);
    const { centres, cumulative } = words[labels[index]];
    const voice = voices[speaker[index]];
    const shift = voice.shift + symmetric(draws, sampleShift);
    const times: number[] = [];
    const units: number[] = [];
    for (let time = 0; ; ) {
      time -= (log(draws.uniform()) * durationMs) / spikes;
      const rounded = Math.fround(time);
      if (!(rounded < durationMs)) break;
      times.push(rounded);
      const frame = Math.min(frames - 1, Math.floor((time / durationMs) * voice.speed * frames));
      let unit = below(draws, channels);
      if (draws.uniform() >= backgroundShare) {
        const loudness = draws.uniform() * cumulative[frame * bands + bands - 1];
        let band = 0;
        while (band < bands - 1 && loudness > cumulative[frame * bands + band]) band++;
        const place = centres[frame * bands + band] + shift + bandWidth * draws.normal();
        // Beyond the ends it stays the background spike drawn before.
        if (place >= 0 && place < 1) unit = Math.floor(place * channels);
      }
      units.push(unit);
    }
    return { kind: "spikes", timesMs: Float32Array.from(times), units: Uint32Array.from(units) };
  }

  return generatedSet({
    name: "synthetic SHD-like spikes",
    channels,
    durationMs: durationMs * (1 - 2 ** -24),
    classNames: Array.from({ length: classes }, (_, label) => `word ${label}`),
    labels,
    columns: { speaker },
    notes: ["made for measuring speed; accuracies say nothing about the Spiking Heidelberg Digits"],
    sample,
  });
}

/** Uniform in -size .. size. */
const symmetric = (draws: Draws, size: number): number => size * (2 * draws.uniform() - 1);

function drawWord(draws: Draws): Word {
  const centres = new Float64Array(frames * bands);
  const cumulative = new Float64Array(frames * bands);
  for (let band = 0; band < bands; band++) {
    const middle = 0.15 + 0.7 * draws.uniform();
    const reach = 0.1 * draws.uniform();
    const cycles = 2 * draws.uniform();
    const phase = draws.uniform();
    const loudest = draws.uniform();
    const width = 0.1 + 0.3 * draws.uniform();
    for (let frame = 0; frame < frames; frame++) {
      const t = (frame + 0.5) / frames;
      const at = frame * bands + band;
      const distance = (t - loudest) / width;
      centres[at] = middle + reach * sinOfTurns(cycles * t + phase);
      cumulative[at] = exp((-distance * distance) / 2) + (band === 0 ? 0 : cumulative[at - 1]);
    }
  }
  return { centres, cumulative };
}
