import type { SharedRows } from "../../src/network/shared-rows.ts";

/** What every target receives when every source sends its own number: as the engine takes the table. */
export function currents(
  table: SharedRows,
  weights: ArrayLike<number>,
  sent: ArrayLike<number>,
  targets: number,
): number[] {
  const received = new Array<number>(targets).fill(0);
  for (let source = 0; source + 1 < table.offsets.length; source++) {
    for (let block = table.offsets[source]; block < table.offsets[source + 1]; block++) {
      for (let i = 0; i < table.width; i++) {
        received[table.firstTargets[block] + i] += sent[source] * weights[table.weightRows[block] * table.width + i];
      }
    }
  }
  return received;
}
