import { describe, expect, it } from "vitest";
import { UserError } from "../../base/errors.ts";
import { complete, type Kinds } from "./description.ts";

type Animal =
  | { readonly type: "cat"; readonly lives?: number; readonly colour?: "black" | "white" }
  | { readonly type: "dog"; readonly weights?: readonly number[] | null; readonly age: number }
  | { readonly type: "crab"; readonly legs?: number | "many" };

const kinds: Kinds<Animal> = {
  cat: { lives: { default: 9, min: 1, integer: true }, colour: { words: ["black", "white"], default: "black" } },
  dog: { weights: { each: { above: 0 }, default: null }, age: { min: 0, below: 30 } },
  crab: { legs: { numberOrWords: ["many"], range: { above: 0 }, default: "many" } },
};
/** As from a file: anything may stand in it. */
const from = (given: unknown) => complete("zoo.animal", given as Animal, kinds);
const message = (given: unknown): string => {
  try {
    from(given);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error("no error");
};

describe("complete", () => {
  it("fills in defaults and keeps what is given", () => {
    expect(from({ type: "cat" })).toEqual({ type: "cat", lives: 9, colour: "black" });
    expect(from({ type: "cat", lives: 3, colour: undefined })).toEqual({ type: "cat", lives: 3, colour: "black" });
    expect(from({ type: "crab" })).toEqual({ type: "crab", legs: "many" });
    expect(from({ type: "crab", legs: 8 })).toEqual({ type: "crab", legs: 8 });
    expect(from({ type: "dog", age: 2 })).toEqual({ type: "dog", age: 2, weights: null });
    expect(from({ type: "dog", age: 2, weights: [1, 2] })).toEqual({ type: "dog", age: 2, weights: [1, 2] });
  });

  it.each([
    [{ type: "dgo", age: 1 }, 'zoo.animal.type is "dgo"; it must be one of "cat", "dog", "crab" — did you mean "dog"?'],
    [undefined, 'zoo.animal.type is missing; it must be one of "cat", "dog", "crab"'],
    [{ type: "toString" }, 'zoo.animal.type is "toString"; it must be one of "cat", "dog", "crab"'],
    [{ type: "cat", live: 3 }, 'unknown key "zoo.animal.live" — did you mean "lives"?'],
    [{ type: "cat", wings: 3 }, 'unknown key "zoo.animal.wings" — known keys of "cat": lives, colour'],
    [{ type: "cat", lives: 0 }, "zoo.animal.lives is 0; it must be a whole number of at least 1"],
    [{ type: "cat", lives: 1.5 }, "zoo.animal.lives is 1.5; it must be a whole number of at least 1"],
    [{ type: "cat", lives: null }, "zoo.animal.lives is null; it must be a whole number of at least 1"],
    [
      { type: "cat", colour: "blac" },
      'zoo.animal.colour is "blac"; it must be one of "black", "white" — did you mean "black"?',
    ],
    [{ type: "crab", legs: 0 }, 'zoo.animal.legs is 0; it must be a number above 0, or one of "many"'],
    [
      { type: "crab", legs: "may" },
      'zoo.animal.legs is "may"; it must be a number above 0, or one of "many" — did you mean "many"?',
    ],
    [{ type: "dog" }, "zoo.animal.age is missing; it must be a number of at least 0 and below 30"],
    [{ type: "dog", age: 30 }, "zoo.animal.age is 30; it must be a number of at least 0 and below 30"],
    [{ type: "dog", age: NaN }, "zoo.animal.age is NaN; it must be a number of at least 0 and below 30"],
    [{ type: "dog", age: 1, weights: 3 }, "zoo.animal.weights is 3; it must be a list of numbers"],
    [
      { type: "dog", age: 1, weights: [1, 0] },
      "zoo.animal.weights has 0 at position 1; every item must be a number above 0",
    ],
  ])("refuses %j", (given, expected) => {
    expect(message(given)).toBe(expected);
  });
});
