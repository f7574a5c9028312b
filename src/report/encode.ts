/**
 * Numbers as short text for the page, read back by `client/decode.ts`.
 *
 * Curves that are compared by eye are float32; single trials, of which there may be hundreds, are 16-bit with one scale
 * (1/65534 of their range: far below the width of a line). Spikes are sorted by neuron and written as differences of
 * steps in 7-bit groups: about two bytes a spike at cortical rates, where pairs of integers would take eight.
 */

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x6000) text += btoa(String.fromCharCode(...bytes.subarray(i, i + 0x6000)));
  return text;
}

/** Little-endian float32. */
export function encodeFloats(values: ArrayLike<number>): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return base64(bytes);
}

/** Curves of one length with one scale: value = centre + step * int16; -32768 marks what is not a number. */
export interface EncodedCurves {
  readonly count: number;
  readonly centre: number;
  readonly step: number;
  readonly bytes: string;
}

export function encodeCurves(curves: readonly Float32Array[], rows: number): EncodedCurves {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const curve of curves) {
    for (let row = 0; row < rows; row++) {
      if (!Number.isFinite(curve[row])) continue;
      low = Math.min(low, curve[row]);
      high = Math.max(high, curve[row]);
    }
  }
  if (low > high) low = high = 0;
  const centre = (low + high) / 2;
  const step = (high - low) / 65534 || 1;
  const bytes = new Uint8Array(curves.length * rows * 2);
  const view = new DataView(bytes.buffer);
  curves.forEach((curve, c) => {
    for (let row = 0; row < rows; row++) {
      const value = curve[row];
      const code = Number.isFinite(value)
        ? Math.max(-32767, Math.min(32767, Math.round((value - centre) / step)))
        : -32768;
      view.setInt16(2 * (c * rows + row), code, true);
    }
  });
  return { count: curves.length, centre, step, bytes: base64(bytes) };
}

export interface EncodedSpikes {
  readonly count: number;
  /** Neurons that the bytes describe, from 0. */
  readonly neurons: number;
  readonly bytes: string;
}

/** For every neuron: how many spikes, then the step of each as the difference from the one before (from 0 at first). */
export function encodeSpikes(steps: Uint32Array, neurons: Uint32Array, neuronCount: number): EncodedSpikes {
  const count = steps.length;
  const starts = new Uint32Array(neuronCount + 1);
  for (let i = 0; i < count; i++) starts[neurons[i] + 1]++;
  for (let n = 0; n < neuronCount; n++) starts[n + 1] += starts[n];
  const fill = starts.slice(0, neuronCount);
  const byNeuron = new Uint32Array(count);
  // Time order within a neuron survives, since the input is in time order.
  for (let i = 0; i < count; i++) byNeuron[fill[neurons[i]]++] = steps[i];
  const bytes = new Uint8Array(5 * (count + neuronCount));
  let at = 0;
  const write = (value: number): void => {
    let rest = value;
    while (rest >= 128) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
  };
  for (let n = 0; n < neuronCount; n++) {
    write(starts[n + 1] - starts[n]);
    let previous = 0;
    for (let i = starts[n]; i < starts[n + 1]; i++) {
      write(byNeuron[i] - previous);
      previous = byNeuron[i];
    }
  }
  return { count, neurons: neuronCount, bytes: base64(bytes.subarray(0, at)) };
}
