import { expect, test } from "vitest";
import { gamma } from "../random/distributions.ts";
import { Philox } from "../random/philox.ts";
import { writeNpy } from "./formats/npy.ts";
import { readMeasured } from "./measured-constants.ts";

const text = (lines: string) => new TextEncoder().encode(lines);

test("a table of groups with quantiles, as published", async () => {
  const groups = await readMeasured(
    text(
      "species,dendrite,n,mean_ms,sd_ms,lognormal_mu,lognormal_sigma,gamma_shape,gamma_scale_ms,p0,p25,p50,p97.5\n" +
        "Mus musculus,spiny,892,21.5,7.4,3.02,0.31,10,2.15,7.6,16.4,20.4,37.1\n" +
        "Homo Sapiens,any,413,25.3,10.9,3.14,0.44,5.5,4.56,5.5,17.7,24.1,51\n",
    ),
    "tau.csv",
  );
  expect(groups.map(({ name }) => name)).toEqual(["Mus musculus, spiny", "Homo Sapiens, any"]);
  expect(groups[0]).toMatchObject({
    count: 892,
    mean: 21.5,
    sd: 7.4,
    gamma: { shape: 10, scale: 2.15 },
    logNormal: { mu: 3.02, sigma: 0.31 },
  });
  expect(groups[1].quantiles).toEqual([
    { fraction: 0, value: 5.5 },
    { fraction: 0.25, value: 17.7 },
    { fraction: 0.5, value: 24.1 },
    { fraction: 0.975, value: 51 },
  ]);
});

test("what a table does not say is null", async () => {
  const [group] = await readMeasured(text("kind;p90;p50\na;30;20\n"), "tau.csv");
  expect(group).toEqual({
    name: "a",
    count: null,
    mean: null,
    sd: null,
    gamma: null,
    logNormal: null,
    quantiles: [
      { fraction: 0.5, value: 20 },
      { fraction: 0.9, value: 30 },
    ],
  });
});

test("a list is fitted here", async () => {
  const values = new Float64Array(4000);
  gamma(new Philox(1), 1, { shape: 4, scale: 5 }, 0, values);
  const [group] = await readMeasured(writeNpy(values), "cells.npy");
  expect(group).toMatchObject({ name: "cells.npy", count: 4000 });
  expect(group.gamma!.shape).toBeCloseTo(4, 0);
  const median = group.quantiles.find(({ fraction }) => fraction === 0.5)!.value;
  expect(values.filter((v) => v < median).length / 4000).toBeCloseTo(0.5, 2);
  const [column] = await readMeasured(text("cell,tau\n1,20\n2,30\n"), "cells.csv", "tau");
  expect(column).toMatchObject({ name: "tau", count: 2, mean: 25 });
});

test.each<[string, string]>([
  ["a,b\n1,2\n", "holds several lists"],
  ["tau\n20\n-3\n", "has the time constant -3 at position 1; it must be above 0 ms"],
  ["kind,p10,p50\na,30,20\n", "line 2 of tau.csv has the quantile 20; quantiles are above 0 and ascend"],
  ["kind,p10,p50\na,30,fast\n", 'column "p50" of tau.csv holds "fast"'],
])("%j is refused", async (lines, message) => {
  await expect(readMeasured(text(lines), "tau.csv")).rejects.toThrow(message);
});
