import { describe, expect, it } from "vitest";
import { type ConstraintDescription, makeConstraint } from "./constraints.ts";

const projection = { rowStarts: [0, 2, 5] };

function constrained(description: ConstraintDescription, signs?: Int8Array): number[] {
  const weights = Float32Array.of(-2, 2, -1, 3, 0.5);
  makeConstraint(description, { ...projection, signs })(weights);
  return [...weights];
}

describe("constraints", () => {
  it("clamp to one or two bounds", () => {
    expect(constrained({ type: "clamp", min: -1, max: 2 })).toEqual([-1, 2, -1, 2, 0.5]);
    expect(constrained({ type: "clamp", min: 0.75 })).toEqual([0.75, 2, 0.75, 3, 0.75]);
    expect(constrained({ type: "clamp", max: 0 })).toEqual([-2, 0, -1, 0, 0]);
    expect(constrained({ type: "nonNegative" })).toEqual([0, 2, 0, 3, 0.5]);
  });

  it("keep Dale's law row by row", () => {
    expect(constrained({ type: "dale" }, Int8Array.of(1, -1))).toEqual([0, 2, -1, 0, 0]);
    expect(constrained({ type: "dale" }, Int8Array.of(-1, 1))).toEqual([-2, 0, 0, 3, 0.5]);
  });

  it("leave NaN to be found", () => {
    const weights = Float32Array.of(NaN);
    makeConstraint({ type: "clamp", min: 0, max: 1 }, { rowStarts: [0, 1] })(weights);
    makeConstraint({ type: "dale" }, { rowStarts: [0, 1], signs: Int8Array.of(1) })(weights);
    expect(weights[0]).toBeNaN();
  });

  it.each<[ConstraintDescription, string]>([
    [{ type: "clamp" }, "constraint is a clamp without bounds; give min, max or both"],
    [{ type: "clamp", min: 2, max: 1 }, "constraint.min is 2; it must not be above constraint.max, which is 1"],
    [{ type: "dale" }, "the presynaptic neurons have no signs"],
    [{ type: "clmap" as "clamp" }, 'did you mean "clamp"?'],
  ])("refuse %j", (description, message) => {
    expect(() => makeConstraint(description, projection)).toThrow(message);
  });
});
