/** Words in a .npy array: NumPy's types S (bytes) and U (UTF-32), which `readNpy` leaves to those who ask for words. */

import { dataError } from "../../base/errors.ts";

const headerStart = 10;

/**
 * The words of a one-dimensional array; undefined when the array is of another type or shape.
 * @throws UserError when it is truncated.
 */
export function wordsOfNpy(bytes: Uint8Array, name: string): string[] | undefined {
  if (bytes.length < headerStart || bytes[6] !== 1) return undefined;
  const start = headerStart + bytes[8] + 256 * bytes[9];
  const header = new TextDecoder("latin1").decode(bytes.subarray(headerStart, start));
  const type = /'descr'\s*:\s*'([|<>])([SU])(\d{1,4})'/.exec(header);
  const shape = /'shape'\s*:\s*\((\d{1,9}),\)/.exec(header);
  if (type === null || shape === null) return undefined;
  const [, order, letter, length] = type;
  const cell = Number(length) * (letter === "U" ? 4 : 1);
  const count = Number(shape[1]);
  if (bytes.length - start !== cell * count) throw dataError(`${name} does not hold the ${count} words it claims to`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => {
    const from = start + i * cell;
    if (letter === "S") {
      const word = bytes.subarray(from, from + cell);
      const end = word.indexOf(0);
      return new TextDecoder().decode(end < 0 ? word : word.subarray(0, end));
    }
    let word = "";
    for (let at = from; at < from + cell; at += 4) {
      const point = view.getUint32(at, order !== ">");
      if (point === 0) break;
      if (point > 0x10ffff) throw dataError(`${name} holds a character that does not exist; it is damaged`);
      word += String.fromCodePoint(point);
    }
    return word;
  });
}
