import { resolve } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../base/errors.ts";
import { commandAgain, withFlags } from "./flags.ts";

const classifier = {
  kind: "classify",
  data: { train: "/mine/train.h5", test: "/mine/test.h5", limit: 100 },
  network: { layers: [{ neurons: 8 }] },
};
const follower = { neurons: 40, targets: { type: "sinusoids" } };

test("samples of a classifier are exchanged, paths taken from where one is; the rest stays", () => {
  expect(withFlags(classifier, { data: "a.h5", test: "b.h5" })).toEqual({
    ...classifier,
    data: { train: resolve("a.h5"), test: resolve("b.h5"), limit: 100 },
  });
  // Test samples go with the training samples that they belonged to.
  expect(withFlags(classifier, { data: "a.h5" })).toMatchObject({ data: { train: resolve("a.h5"), test: null } });
  expect(withFlags(classifier, { out: "there" })).toEqual(classifier);
});

test("--set comes after the files", () => {
  const set = ["network.layers.0.neurons=16", "data.test=c.h5", "data.limit=null"];
  expect(withFlags(classifier, { data: "a.h5", set })).toEqual({
    ...classifier,
    data: { train: resolve("a.h5"), test: resolve("c.h5"), limit: null },
    network: { layers: [{ neurons: 16 }] },
  });
});

test("a recording is exchanged; test samples it has none", () => {
  expect(withFlags(follower, { data: "own.nwb", set: ["neurons=50"] })).toMatchObject({
    neurons: 50,
    targets: { type: "recording", file: resolve("own.nwb") },
  });
  expect(withFlags(follower, {})).toEqual(follower);
  expect(() => withFlags(follower, { test: "b.h5" })).toThrow(UserError);
});

test("the command that goes on names every flag that makes the sweep what it is", () => {
  expect(commandAgain("s.json", {})).toBe("volley sweep s.json");
  expect(
    commandAgain("my sweep.json", { data: "a.h5", set: ["seed=2", 'data.augmentation=[{"type":"crop"}]'], out: "o" }),
  ).toBe(`volley sweep 'my sweep.json' --data a.h5 --set seed=2 --set 'data.augmentation=[{"type":"crop"}]' --out o`);
});
