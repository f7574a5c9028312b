/** Bars that lie anywhere in a plane: what they are is told by their direction, not by where they are. */
import type { LabelledSet, SpikeTrains } from "../../src/data/labelled-set.ts";
import { Philox } from "../../src/random/philox.ts";

const side = 9;
const length = 5;
const steps = 12;
const noise = 4;
const directions: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
];

/** Spikes of one sample: a bar of one of four directions, each place of it three times, and some places at random. */
function bar(random: Philox, index: number, label: number): SpikeTrains {
  const draws = new Float64Array(3 + 3 * length + 2 * noise);
  random.uniform(index, 0, draws);
  const [dy, dx] = directions[label];
  const place = (low: number, high: number, u: number) => low + Math.floor(u * (high - low + 1));
  const reach = (d: number) => (d === 0 ? side - 1 : side - length);
  const y = place(0, reach(dy), draws[0]);
  const x = (dx < 0 ? length - 1 : 0) + place(0, reach(dx), draws[1]);
  const spikes: { time: number; unit: number }[] = [];
  let at = 3;
  for (let k = 0; k < length; k++) {
    const unit = (y + k * dy) * side + x + k * dx;
    for (let repeat = 0; repeat < 3; repeat++) spikes.push({ time: Math.floor(steps * draws[at++]), unit });
  }
  for (let n = 0; n < noise; n++) {
    spikes.push({ time: Math.floor(steps * draws[at++]), unit: Math.floor(side * side * draws[at++]) });
  }
  spikes.sort((a, b) => a.time - b.time);
  return {
    kind: "spikes",
    timesMs: Float32Array.from(spikes, ({ time }) => time),
    units: Uint32Array.from(spikes, ({ unit }) => unit),
  };
}

/** Sample i is of class i mod 4. */
export function bars(size: number, seed: number): LabelledSet {
  const random = new Philox(seed);
  const labels = Uint32Array.from({ length: size }, (_, i) => i % directions.length);
  return {
    name: "bars",
    kind: "spikes",
    size,
    channels: side * side,
    shape: [side, side, 1],
    durationMs: steps - 1,
    classNames: ["across", "down", "falling", "rising"],
    labels,
    columns: {},
    notes: [],
    read: async (indices) => Array.from(indices, (index) => bar(random, index, labels[index])),
    close() {},
  };
}
