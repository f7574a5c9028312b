import fc from "fast-check";
import { expect, test } from "vitest";
import { packState, unpackState } from "./packed-state.ts";
import { PlainState } from "./plain-state.ts";

const arrays = fc.oneof(
  fc.float32Array({ noNaN: true }),
  fc.float64Array({ noNaN: true }),
  fc.uint32Array(),
  fc.int8Array(),
);
const leaves = fc.oneof(
  arrays,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Object.is(x, -0)),
  fc.constant(null),
  fc.string(),
);
const values = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3 }, leaves, fc.array(tie("tree"), { maxLength: 3 }), objectOf(tie("tree"))),
}));

function objectOf(item: fc.Arbitrary<unknown>) {
  return fc
    .dictionary(fc.stringMatching(/^[a-z]{1,4}$/), item, { maxKeys: 4, noNullPrototype: true })
    .filter((value) => !("section" in value && "array" in value));
}

const label = { kind: "classify", fingerprint: "f", iteration: 2 } as const;

test("what goes in comes out, packed or not, and equal states give equal bytes whatever the order of their keys", async () => {
  await fc.assert(
    fc.asyncProperty(objectOf(values.tree), async (value) => {
      expect(new PlainState(value).value()).toEqual(value);
      const packed = await packState(new PlainState(value), label);
      const { header, state } = await unpackState(packed);
      expect(header).toMatchObject(label);
      expect(state.value()).toEqual(value);
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(await packState(new PlainState(turned), label)).toEqual(packed);
      expect(await packState(state, label)).toEqual(packed);
    }),
    { numRuns: 60 },
  );
});

test("damaged bytes are refused", async () => {
  const packed = await packState(new PlainState({ weights: Float32Array.of(1, 2, 3), epoch: 4 }), label);
  for (let at = 0; at < packed.length; at += 7) {
    const damaged = packed.slice();
    damaged[at] ^= 1;
    await expect(unpackState(damaged)).rejects.toThrow(/checkpoint of the classifier is damaged/);
  }
  for (const length of [0, 10, 47, packed.length - 1]) {
    await expect(unpackState(packed.subarray(0, length))).rejects.toThrow(/damaged/);
  }
});
