/** Times and units as files hold them, of any type, to those of a set. */

import { dataError } from "../../base/errors.ts";
import type { NumericData } from "../formats/numeric-array.ts";

/** Elements `start` to `end` in ms, each rounded once to float32. */
export function millisecondsOf(times: NumericData, start: number, end: number, msPerUnit: number): Float32Array {
  const ms = new Float32Array(end - start);
  for (let i = 0; i < ms.length; i++) ms[i] = msPerUnit * Number(times[start + i]);
  return ms;
}

/**
 * Elements `start` to `end` as channels.
 * @throws UserError when one is no whole number from 0 on.
 */
export function channelsOf(units: NumericData, start: number, end: number, what: string): Uint32Array {
  const channels = new Uint32Array(end - start);
  for (let i = 0; i < channels.length; i++) {
    const unit = Number(units[start + i]);
    channels[i] = unit;
    if (channels[i] !== unit) throw dataError(`${what} has the unit ${unit}; units are whole numbers from 0 on`);
  }
  return channels;
}
