import { expect, test } from "vitest";
import { kindOf } from "./kind.ts";

test("an experiment says its kind, or follows a recording", () => {
  expect(kindOf({ kind: "classify" }, "e.json")).toBe("classify");
  expect(kindOf({}, "e.json")).toBe("follow");
});

test("a sweep is told from an experiment, with the command that takes it", () => {
  expect(() => kindOf({ kind: "sweep" }, "my/s.json")).toThrow(
    /^my\/s\.json is a sweep, which trains many experiments; run it with: volley sweep my\/s\.json$/,
  );
});

test.each([
  ["clasify", /e\.json: kind is "clasify"; it must be .* — did you mean "classify"\?/],
  ["sweeep", /did you mean "sweep"\?/],
  [3, /kind is 3; it must be "follow", "classify" or "sweep"$/],
])("kind %j is answered by those that there are", (kind, message) => {
  expect(() => kindOf({ kind }, "e.json")).toThrow(message);
});
