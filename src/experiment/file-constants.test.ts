import { resolve } from "node:path";
import { expect, test } from "vitest";
import { writeNpy } from "../data/formats/npy.ts";
import { writeNpz } from "../data/formats/npz.ts";
import { parseClassify } from "./classify/schema.ts";
import { readFileConstants } from "./file-constants.ts";
import { absolutePaths } from "./load-experiment.ts";
import { parseExperiment } from "./schema.ts";

const files: Record<string, Uint8Array> = {
  "tau.npy": writeNpy(Float32Array.of(5, 10, 20)),
  "both.npz": writeNpz({ mem: { data: Float64Array.of(12.5, 13) }, syn: { data: Float64Array.of(3, -1) } }),
};
const read = async (path: string, place: string) => {
  if (files[path] === undefined) throw new Error(`${place}: no ${path}`);
  return { name: path, bytes: files[path] };
};
const follow = (value: unknown) =>
  readFileConstants(parseExperiment(value, "x"), read, (given) => parseExperiment(given, "x"));

test("files become lists; what is no constant stays", async () => {
  const { experiment, notes } = await follow({
    synapses: { tauPlasticMs: { file: "tau.npy" }, tauExcMs: 4 },
    model: { parameters: { tauMemMs: { file: "both.npz", dataset: "mem" } } },
    targets: { type: "recording", file: "rates.h5" },
  });
  expect(experiment.synapses).toMatchObject({ tauPlasticMs: [5, 10, 20], tauExcMs: 4 });
  expect(experiment.model.parameters.tauMemMs).toEqual([12.5, 13]);
  expect(experiment.targets).toMatchObject({ file: "rates.h5" });
  expect(notes).toEqual([
    "model.parameters.tauMemMs: 2 values from both.npz",
    "synapses.tauPlasticMs: 3 values from tau.npy",
  ]);
});

test("of layers and readouts too; without files nothing is touched", async () => {
  const given = {
    kind: "classify",
    data: { train: "a.h5" },
    network: {
      layers: [{ neurons: 3, model: { parameters: { tauMemMs: { file: "tau.npy" } } } }],
      readout: { model: { parameters: { tauMemMs: { file: "both.npz", dataset: "mem" } } } },
    },
  };
  const parse = (value: unknown) => parseClassify(value, "x");
  const { experiment } = await readFileConstants(parse(given), read, parse);
  expect(experiment.network.layers[0]).toMatchObject({ model: { parameters: { tauMemMs: [5, 10, 20] } } });
  expect(experiment.network.readout.model.parameters.tauMemMs).toEqual([12.5, 13]);
  const plain = parse({ ...given, network: { layers: [{ neurons: 3 }] } });
  expect((await readFileConstants(plain, read, parse)).experiment).toBe(plain);
});

test("numbers out of the range of their constant are refused by place, as are files that cannot be read", async () => {
  await expect(follow({ synapses: { tauPlasticMs: { file: "both.npz", dataset: "syn" } } })).rejects.toThrow(
    "synapses.tauPlasticMs has -1 at position 1; every item must be a number above 0 ms",
  );
  await expect(follow({ synapses: { tauExcMs: { file: "none.npy" } } })).rejects.toThrow("synapses.tauExcMs: no none");
  await expect(follow({ synapses: { tauExcMs: { file: "both.npz" } } })).rejects.toThrow("holds several lists");
});

test("paths of constants are relative to the experiment", () => {
  const given = { synapses: { tauExcMs: { file: "tau.npy" } }, targets: { type: "recording", file: "r.h5" } };
  expect(absolutePaths(given, "/folder")).toEqual({
    synapses: { tauExcMs: { file: resolve("/folder/tau.npy") } },
    targets: { type: "recording", file: resolve("/folder/r.h5") },
  });
  expect(given.synapses.tauExcMs.file).toBe("tau.npy");
  const classify = { kind: "classify", network: { layers: [{ model: { parameters: { v: { file: "a.npy" } } } }] } };
  expect(absolutePaths(classify, "/folder")).toMatchObject({
    network: { layers: [{ model: { parameters: { v: { file: resolve("/folder/a.npy") } } } }] },
  });
});
