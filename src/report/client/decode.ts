/**
 * Reads back in the page what `encode.ts` wrote.
 *
 * Everything in this folder is copied into the page as source text (`script.ts`), one function per file: a function may
 * use what it is given and what browsers have, and nothing else of its module.
 */
import type { EncodedCurves, EncodedSpikes } from "../encode.ts";

/** Spikes in time order: step (1-based) and neuron. */
export interface DecodedSpikes {
  readonly steps: Uint32Array;
  readonly neurons: Uint32Array;
}

export type Decoder = ReturnType<typeof createDecoder>;

export function createDecoder() {
  function bytes(text: string): Uint8Array {
    const raw = atob(text);
    const out = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out;
  }

  /** Values with null where there is no number: a gap in a line. */
  function floats(text: string): (number | null)[] {
    const view = new DataView(bytes(text).buffer);
    return Array.from({ length: view.byteLength / 4 }, (_, i) => {
      const value = view.getFloat32(4 * i, true);
      return Number.isFinite(value) ? value : null;
    });
  }

  function curve(curves: EncodedCurves, index: number, rows: number): (number | null)[] {
    const view = new DataView(bytes(curves.bytes).buffer);
    return Array.from({ length: rows }, (_, row) => {
      const code = view.getInt16(2 * (index * rows + row), true);
      return code === -32768 ? null : curves.centre + code * curves.step;
    });
  }

  function spikes(encoded: EncodedSpikes): DecodedSpikes {
    const source = bytes(encoded.bytes);
    let at = 0;
    const read = (): number => {
      let value = 0;
      let shift = 0;
      let byte = source[at++];
      while (byte >= 128) {
        value |= (byte & 127) << shift;
        shift += 7;
        byte = source[at++];
      }
      return (value | (byte << shift)) >>> 0;
    };
    const stepOf = new Uint32Array(encoded.count);
    const neuronOf = new Uint32Array(encoded.count);
    let filled = 0;
    let last = 0;
    for (let n = 0; n < encoded.neurons; n++) {
      let step = 0;
      for (let left = read(); left > 0; left--) {
        step += read();
        stepOf[filled] = step;
        neuronOf[filled++] = n;
        if (step > last) last = step;
      }
    }
    // Counting sort by step; neurons stay ascending within a step.
    const starts = new Uint32Array(last + 2);
    for (let i = 0; i < filled; i++) starts[stepOf[i] + 1]++;
    for (let s = 0; s <= last; s++) starts[s + 1] += starts[s];
    const steps = new Uint32Array(filled);
    const neurons = new Uint32Array(filled);
    for (let i = 0; i < filled; i++) {
      const to = starts[stepOf[i]]++;
      steps[to] = stepOf[i];
      neurons[to] = neuronOf[i];
    }
    return { steps, neurons };
  }

  return { bytes, floats, curve, spikes };
}
