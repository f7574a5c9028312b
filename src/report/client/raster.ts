/**
 * The inner loops of the spike raster: spikes to counts per pixel, counts to colours.
 *
 * A path or rectangle per spike costs half a second at a million spikes; counting into pixels and writing one ImageData
 * costs a few milliseconds, because the work is one pass over the spikes and one over the pixels.
 */
import type { DecodedSpikes } from "./decode.ts";

/** What part of the trial is on view: steps [stepLow, stepHigh), neurons [neuronLow, neuronHigh). */
export interface RasterWindow {
  readonly stepLow: number;
  readonly stepHigh: number;
  readonly neuronLow: number;
  readonly neuronHigh: number;
}

export type Binner = ReturnType<typeof createBinner>;

export function createBinner(spikes: DecodedSpikes) {
  const { neurons } = spikes;
  // Step s ends at s x dt: in the window it takes the place from s - 1 to s.
  const steps = spikes.steps.map((step) => step - 1);
  let counts = new Uint16Array(0);
  const tally = new Uint32Array(256);

  /** First spike at or after `step`. */
  function firstAt(step: number): number {
    let low = 0;
    let high = steps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (steps[middle] < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Counts of marks covering each pixel, row 0 at the top, neuron indices growing upwards. A mark is `markWidth` x
   * `markHeight` pixels with its lower left corner at the spike; marks are cut at the edges.
   */
  function count(
    view: RasterWindow,
    width: number,
    height: number,
    markWidth: number,
    markHeight: number,
  ): Uint16Array {
    if (counts.length < width * height) counts = new Uint16Array(width * height);
    counts.fill(0, 0, width * height);
    const from = firstAt(Math.ceil(view.stepLow));
    const to = firstAt(Math.ceil(view.stepHigh));
    const xScale = width / (view.stepHigh - view.stepLow);
    const yScale = height / (view.neuronHigh - view.neuronLow);
    const { stepLow, neuronLow, neuronHigh } = view;
    const whole = markWidth === 1 && markHeight === 1;
    const firstNeuron = Math.max(0, Math.floor(neuronLow));
    for (let i = from; i < to; i++) {
      const neuron = neurons[i];
      if (neuron < firstNeuron || neuron >= neuronHigh) continue;
      const x = ((steps[i] - stepLow) * xScale) | 0;
      const y = height - 1 - Math.floor((neuron - neuronLow) * yScale);
      if (whole) {
        if (y < height) counts[y * width + x]++;
        continue;
      }
      const right = Math.min(width, x + markWidth);
      const bottom = Math.min(height - 1, y);
      for (let row = Math.max(0, y - markHeight + 1); row <= bottom; row++) {
        for (let at = row * width + x; at < row * width + right; at++) counts[at]++;
      }
    }
    return counts;
  }

  /**
   * Counts to colours: one spike is clearly visible, and the densest 0.5 % of the inked pixels are full colour;
   * in between the opacity grows with the logarithm of the count. Rows above `splitRow` take the second palette.
   */
  function paint(
    pixels: Uint32Array,
    width: number,
    height: number,
    splitRow: number,
    below: readonly number[],
    above: readonly number[],
  ): void {
    const size = width * height;
    tally.fill(0);
    for (let i = 0; i < size; i++) tally[Math.min(counts[i], 255)]++;
    let full = 255;
    let inked = size - tally[0];
    const leave = inked * 0.005;
    for (inked = tally[255]; full > 1 && inked <= leave; ) inked += tally[--full];
    const table = (rgb: readonly number[]): Uint32Array => {
      const colours = new Uint32Array(256);
      for (let c = 1; c < 256; c++) {
        const share = full <= 1 ? 1 : Math.min(1, Math.log(1 + c) / Math.log(1 + full));
        const alpha = Math.round(255 * Math.max(0.28, share));
        colours[c] = ((alpha << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0]) >>> 0;
      }
      return colours;
    };
    const edge = Math.max(0, Math.min(height, splitRow)) * width;
    const upper = table(above);
    const lower = table(below);
    for (let i = 0; i < edge; i++) pixels[i] = upper[Math.min(counts[i], 255)];
    for (let i = edge; i < size; i++) pixels[i] = lower[Math.min(counts[i], 255)];
  }

  /** Spikes of neurons below and from `split` on, in bins of `binSteps` steps; bin 0 starts at `stepLow`. */
  function rates(stepLow: number, stepHigh: number, binSteps: number, split: number) {
    const bins = Math.max(1, Math.ceil((stepHigh - stepLow) / binSteps));
    const excitatory = new Float64Array(bins);
    const inhibitory = new Float64Array(bins);
    const to = firstAt(Math.ceil(stepHigh));
    const scale = 1 / binSteps;
    for (let i = firstAt(Math.ceil(stepLow)); i < to; i++) {
      const bin = ((steps[i] - stepLow) * scale) | 0;
      if (neurons[i] < split) excitatory[bin]++;
      else inhibitory[bin]++;
    }
    return { excitatory, inhibitory };
  }

  return { count, paint, rates, firstAt };
}
