/**
 * Random numbers for what is drawn while an experiment is resolved: constants that differ from neuron to neuron, and
 * which recorded neurons a smaller network follows. One stream per place in the experiment, so that one more
 * distribution leaves the draws of the others as they were.
 */
import { Philox } from "../random/philox.ts";
import { streamKind, streamOf } from "../random/streams.ts";

/** Consecutive values of one stream. */
export interface Draws {
  /** In (0, 1). */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
}

/** The name as 40 bits: FNV-1a of 64, folded. */
function hashName(name: string): number {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return Number((hash >> 40n) ^ (hash & 0xffffffffffn));
}

/** The stream of what is drawn at a place of the experiment. */
export const streamOfName = (name: string): number => streamOf(streamKind.named, hashName(name));

const blockLength = 256;

/** @param name the path in the experiment, `synapses.tauPlasticMs`. */
export function openDraws(seed: number, name: string): Draws {
  const source = new Philox(seed);
  const stream = streamOfName(name);
  const series = (fill: (start: number, out: Float64Array) => void) => {
    const block = new Float64Array(blockLength);
    let index = 0;
    return () => {
      if (index % blockLength === 0) fill(index, block);
      return block[index++ % blockLength];
    };
  };
  const uniform = series((start, out) => source.uniform(stream, start, out));
  return {
    uniform() {
      for (;;) {
        const u = uniform();
        if (u > 0) return u;
      }
    },
    normal: series((start, out) => source.normal(stream, start, out)),
  };
}

/** `count` of 0 .. total - 1 without replacement, ascending. */
export function drawSubset(seed: number, name: string, total: number, count: number): number[] {
  return Array.from(new Philox(seed).sample(streamOfName(name), total, count)).sort((a, b) => a - b);
}
