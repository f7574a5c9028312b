/** Connections that are there from the start: all of them, or a fraction drawn once. */
import { UserError } from "../../base/errors.ts";
import type { ProjectionSpec } from "../../learning/gradient/spec.ts";
import { streamOfName } from "../../random/draws.ts";
import { Philox } from "../../random/philox.ts";

const mostPlaces = 2 ** 32 - 1;
const mostSynapses = 2 ** 27;

/**
 * Each set of so many connections is equally likely.
 * @param path the place of the fraction in the experiment, which names the random stream too
 */
export function drawConnections(
  fraction: number,
  sources: number,
  targets: number,
  seed: number,
  path: string,
): ProjectionSpec["connectivity"] {
  if (fraction === 1) return "dense";
  const total = sources * targets;
  const synapses = Math.max(1, Math.round(fraction * total));
  if (total > mostPlaces || synapses > mostSynapses) {
    throw new UserError(
      `${path} is ${fraction}: ${synapses} of ${sources} x ${targets} connections are more than can be drawn ` +
        `(${mostSynapses} of ${mostPlaces}); lower it, or use fewer neurons`,
    );
  }
  const places = new Philox(seed).sample(streamOfName(path), total, synapses).sort();
  const offsets = new Uint32Array(sources + 1);
  for (const place of places) offsets[Math.floor(place / targets) + 1]++;
  for (let i = 0; i < sources; i++) offsets[i + 1] += offsets[i];
  return { offsets, targets: places.map((place) => place % targets) };
}
