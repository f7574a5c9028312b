import { expect, test } from "vitest";
import { setPaths } from "./set-path.ts";

const experiment = { network: { layers: [{ neurons: 4 }, { neurons: 5 }] }, seed: 1 };

test("a number in a path is a place in a list; what is given stays as it was", () => {
  const changed = setPaths(experiment, ["network.layers.1.neurons=9", "network.layers.2.neurons=7", "seed=3"]);
  expect(changed).toEqual({ network: { layers: [{ neurons: 4 }, { neurons: 9 }, { neurons: 7 }] }, seed: 3 });
  expect(experiment.network.layers).toEqual([{ neurons: 4 }, { neurons: 5 }]);
  expect(setPaths(experiment, ['network.layers=[{"neurons":1}]'])).toMatchObject({
    network: { layers: [{ neurons: 1 }] },
  });
});

test.each([
  [
    "network.layers.first.neurons=1",
    /"network\.layers" is a list, and "first" is no place of it; it has places 0 to 1/,
  ],
  ["network.layers.3.neurons=1", /"3" is no place of it; it has places 0 to 1/],
  ["network.layers.-1=1", /"-1" is no place of it/],
  ["network.layers.length=0", /"length" is no place of it/],
  ["network.layers.__proto__.x=1", /is not a path of an experiment/],
])("%s is refused", (assignment, message) => {
  expect(() => setPaths(experiment, [assignment])).toThrow(message);
});
