import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Philox } from "../../random/philox.ts";
import { streamKind, streamOf } from "../../random/streams.ts";
import { addSparsityPressure, type RewirableProjection, rewire } from "./deep-r.ts";
import { makeOptimiser } from "./optimiser.ts";

const random = new Philox(42);
const stream = (index: number) => streamOf(streamKind.test, index);

/** A random projection whose weights agree with their signs, from 0.1 on in steps of 1 so that each is recognised. */
function projectionOf(
  pre: number,
  post: number,
  synapses: number,
  noAutapses: boolean,
  seed: number,
  firstPre = seed % 3,
) {
  const allowed = Array.from({ length: pre * post }, (_, place) => place).filter(
    (place) => !noAutapses || firstPre + Math.floor(place / post) !== place % post,
  );
  const chosen = [...new Philox(seed).sample(0, allowed.length, Math.min(synapses, allowed.length))]
    .map((i) => allowed[i])
    .sort((a, b) => a - b);
  const rowStarts = new Uint32Array(pre + 1);
  for (const place of chosen) rowStarts[Math.floor(place / post) + 1]++;
  for (let row = 0; row < pre; row++) rowStarts[row + 1] += rowStarts[row];
  const signs = Int8Array.from(chosen, (place) => (place % 3 === 0 ? -1 : 1));
  return {
    pre,
    post,
    rowStarts,
    targets: Uint32Array.from(chosen, (place) => place % post),
    weights: Float32Array.from(signs, (sign, i) => sign * (i + 0.5)),
    signs,
    noAutapses,
    firstPre,
  } satisfies RewirableProjection;
}

function placesOf({ pre, post, rowStarts, targets }: RewirableProjection): number[] {
  const rows = Array.from({ length: pre }, (_, row) => new Array(rowStarts[row + 1] - rowStarts[row]).fill(row)).flat();
  return rows.map((row, i) => row * post + targets[i]);
}

describe("rewiring", () => {
  it("keeps what kept its sign, removes the rest and creates as many elsewhere", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        fc.nat({ max: 1e6 }),
        (pre, post, density, noAutapses, seed) => {
          const projection = projectionOf(pre, post, Math.round(density * pre * post), noAutapses, seed);
          const { weights, signs } = projection;
          const placesBefore = placesOf(projection);
          const lost = new Set<number>();
          for (let i = 0; i < weights.length; i++) {
            if ((seed >> (i % 16)) & 1) {
              weights[i] *= -1;
              lost.add(i);
            }
          }
          const weightsBefore = weights.slice();
          const signsBefore = signs.slice();
          const { count, origin } = rewire(projection, random, stream(seed));

          expect(count).toBe(lost.size);
          const places = placesOf(projection);
          expect(places.length).toBe(placesBefore.length);
          // In order, so also distinct.
          for (let i = 1; i < places.length; i++) expect(places[i]).toBeGreaterThan(places[i - 1]);
          expect(Math.max(-1, ...places)).toBeLessThan(pre * post);
          const { firstPre } = projection;
          const isOwn = (place: number) => firstPre + Math.floor(place / post) === place % post;
          if (noAutapses) expect(places.some(isOwn)).toBe(false);
          const kept = [...origin].filter((from) => from >= 0);
          expect(kept).toEqual([...placesBefore.keys()].filter((i) => !lost.has(i)));
          origin.forEach((from, i) => {
            if (from < 0) {
              expect(weights[i]).toBe(0);
              expect(Math.abs(signs[i])).toBe(1);
            } else {
              expect([places[i], weights[i], signs[i]]).toEqual([
                placesBefore[from],
                weightsBefore[from],
                signsBefore[from],
              ]);
            }
          });
        },
      ),
    );
  });

  it("chooses every free place equally often, also that of the synapse just removed", () => {
    const hits = new Float64Array(12);
    const positive = { count: 0 };
    const trials = 6000;
    for (let trial = 0; trial < trials; trial++) {
      const projection = projectionOf(3, 4, 4, false, 7);
      projection.weights[1] *= -1;
      rewire(projection, random, stream(trial));
      const created = projection.weights.indexOf(0);
      hits[placesOf(projection)[created]]++;
      if (projection.signs[created] > 0) positive.count++;
    }
    const start = projectionOf(3, 4, 4, false, 7);
    const kept = placesOf(start).filter((_, i) => i !== 1);
    const expected = trials / 9;
    hits.forEach((count, place) => {
      // Five standard deviations of a count.
      if (kept.includes(place)) expect(count).toBe(0);
      else expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    });
    expect(Math.abs(positive.count - trials / 2)).toBeLessThan(5 * Math.sqrt(trials / 4));
  });

  it("gives new synapses the sign of their presynaptic neuron under Dale's law", () => {
    const projection = {
      ...projectionOf(6, 6, 12, true, 3),
      signOfPre: Int8Array.of(1, -1, 1, -1, 1, -1),
    };
    projection.weights.forEach((w, i) => {
      projection.weights[i] = -w;
    });
    const { count } = rewire(projection, random, stream(1));
    expect(count).toBe(12);
    placesOf(projection).forEach((place, i) => {
      expect(projection.signs[i]).toBe(projection.signOfPre[Math.floor(place / 6)]);
    });
  });

  it("does the same whenever it is asked the same", () => {
    const [one, other] = [1, 2].map(() => {
      const projection = projectionOf(8, 8, 30, false, 5);
      projection.weights[3] *= -1;
      projection.weights[20] *= -1;
      return { projection, rewired: rewire(projection, new Philox(9), stream(4)) };
    });
    expect(one).toEqual(other);
    expect(one.rewired.count).toBe(2);
  });

  it("leaves a projection alone that lost nothing, weights of 0 included", () => {
    const projection = projectionOf(5, 5, 9, false, 2);
    projection.weights[4] = 0;
    const before = structuredClone(projection);
    expect(rewire(projection, random, stream(1))).toEqual({
      count: 0,
      origin: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8),
    });
    expect(projection).toEqual(before);
  });

  it("finds the inputs that matter, together with the optimiser", () => {
    // Target: only inputs 0..3 of 32 drive the output; 6 synapses must find them.
    const projection = projectionOf(32, 1, 6, false, 11);
    projection.weights.forEach((w, i) => {
      projection.weights[i] = 0.01 * Math.sign(w);
    });
    const optimiser = makeOptimiser({ type: "sgd", rate: 0.05, momentum: 0.5 }, [{ name: "w", size: 6 }]);
    for (let step = 0; step < 1500; step++) {
      const gradient = Float32Array.from(placesOf(projection), (pre, i) => projection.weights[i] - (pre < 4 ? 1 : 0));
      addSparsityPressure(projection, gradient, 0.05);
      optimiser.step({ w: projection.weights }, { w: gradient });
      optimiser.reorder("w", rewire(projection, random, stream(step)).origin);
    }
    const found = placesOf(projection).filter((pre) => pre < 4);
    expect(found).toEqual([0, 1, 2, 3]);
  });
});

describe("sparsity pressure", () => {
  it("pulls every weight towards 0", () => {
    const projection = projectionOf(2, 3, 4, false, 1);
    const gradient = new Float32Array(4);
    addSparsityPressure(projection, gradient, 0.5);
    expect([...gradient]).toEqual([...projection.signs].map((sign) => 0.5 * sign));
  });
});
