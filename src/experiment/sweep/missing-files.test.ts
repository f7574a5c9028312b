import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { Cell } from "./cells.ts";
import { refuseMissingFiles } from "./missing-files.ts";

const cell = (experiment: Cell["experiment"]): Cell => ({ name: "c", places: [], seed: 1, experiment });
const present = resolve("examples/data/digits-train.h5.gz");
const missing = (name: string) => cell({ data: { train: present, test: resolve(name) } });

test("a file that every cell lacks is named before anything is trained, with how to get it", () => {
  expect(() => refuseMissingFiles([missing("data/shd/shd_test.h5.gz"), missing("data/shd/shd_test.h5.gz")])).toThrow(
    new RegExp(
      `there is no file ${resolve("data/shd/shd_test.h5.gz")}, .*; get it with: volley data get shd, or name your files by --data and --test$`,
    ),
  );
  expect(() => refuseMissingFiles([missing("mine/none.h5")])).toThrow(/without it; check the path, or name/);
  const recording = cell({ targets: { type: "recording", file: join("mine", "none.h5") } });
  expect(() => refuseMissingFiles([recording])).toThrow(/there is no file mine/);
});

test("cells that can be trained are not kept from it by others", () => {
  const whole = cell({ data: { train: present, test: { holdOut: {} } } });
  refuseMissingFiles([missing("none.h5"), whole]);
  refuseMissingFiles([cell({ data: { train: { generate: "randman" } } })]);
  refuseMissingFiles([]);
});
