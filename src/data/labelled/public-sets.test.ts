import { expect, test } from "vitest";
import { downloadCommand } from "./public-sets.ts";

test.each([
  ["data/shd/shd_train.h5.gz", "volley data get shd"],
  ["../else/shd_test.h5.gz", "volley data get shd --to ../else"],
  ["ssc_train.h5.gz", "volley data get ssc --to ."],
  // Two sets have files of these names.
  ["data/fashion-mnist/train-images-idx3-ubyte.gz", "volley data get fashion-mnist"],
  ["data/mnist/train-images-idx3-ubyte.gz", "volley data get mnist"],
  ["mine/recordings.h5", null],
])("%s is had by %s", (path, command) => {
  expect(downloadCommand(path)).toBe(command);
});
