/** Connections that are there from the start: all of them, or a fraction drawn once. */
import type { ProjectionSpec, SparseRows } from "../../learning/gradient/spec.ts";
import { drawSubset } from "../../random/draws.ts";

/** @param name the place in the experiment, which names the random stream */
export function drawConnections(
  fraction: number,
  sources: number,
  targets: number,
  seed: number,
  name: string,
): ProjectionSpec["connectivity"] {
  if (fraction === 1) return "dense";
  const total = sources * targets;
  const places = drawSubset(seed, name, total, Math.max(1, Math.round(fraction * total)));
  const rows: SparseRows = {
    offsets: new Uint32Array(sources + 1),
    targets: Uint32Array.from(places, (place) => place % targets),
  };
  for (const place of places) rows.offsets[Math.floor(place / targets) + 1]++;
  for (let i = 0; i < sources; i++) rows.offsets[i + 1] += rows.offsets[i];
  return rows;
}
