import { describe, expect, it } from "vitest";
import { compileNetwork } from "./compile.ts";
import type { PopulationChoice, TrainingSpec } from "./training-spec.ts";

function spec(hidden: Partial<PopulationChoice>, readout = "LI", delaySteps = 1): TrainingSpec {
  const plain = { detachReset: true, trainable: [], bias: false };
  return {
    seed: 1,
    dtMs: 1,
    inputs: 3,
    populations: [
      { name: "hidden", size: 4, model: { type: "ALIF", parameters: {} }, ...plain, ...hidden },
      { name: "readout", size: 2, model: { type: readout, parameters: {} }, ...plain },
    ],
    projections: [
      { name: "own", source: 0, target: 0, delaySteps, connectivity: "dense", backward: "weights", trained: true },
    ],
    readout: 1,
    loss: { type: "crossEntropy" },
    regularisers: [],
    truncateSteps: 0,
    lanes: 8,
    relaxed: false,
  };
}

describe("compiling a network", () => {
  it("fills in what was not said", async () => {
    const { populations } = await compileNetwork(spec({ trainable: ["beta"] }));
    expect(populations[0].surrogate.name).toBe("fastSigmoid(100)");
    expect(populations[0].model.parameters.tauMemMs).toBe(20);
    expect(populations[1].surrogate.support).toBe(0);
  });

  it("gives pooling neurons the surrogate that passes adjoints on", async () => {
    const { populations } = await compileNetwork(spec({ model: { type: "Or", parameters: {} } }));
    expect(populations[0].surrogate.name).toBe("straightThrough");
    const { populations: own } = await compileNetwork(
      spec({ model: { type: "Or", parameters: {} }, surrogate: { type: "boxcar" } }),
    );
    expect(own[0].surrogate.name).toBe("boxcar(0.5, 1)");
  });

  it("refuses a gain of 0, and dropout where nothing is sent", async () => {
    const given = spec({});
    const silent = { ...given, projections: [{ ...given.projections[0], gain: 0 }] };
    await expect(compileNetwork(silent)).rejects.toThrow(/gain of projection "own" is 0/);
    const [hidden, readout] = given.populations;
    const mute = { ...given, populations: [hidden, { ...readout, dropout: 0.2 }] };
    await expect(compileNetwork(mute)).rejects.toThrow(/dropout of "readout" is 0.2; the readout sends nothing/);
  });

  it.each([
    ["a parameter the model lacks", spec({ trainable: ["tauSynMs"] }), /learn "tauSynMs"; its model has tauMemMs/],
    ["the refractory period", spec({ trainable: ["refractoryMs"] }), /counts whole steps and has no gradient/],
    ["a readout that spikes", spec({}, "LIF"), /readout's model is LIF, which spikes; take one .* LI, CuBaLI/],
    ["a loop without delay", spec({}, "LI", 0), /"own" goes back .* delay of 1 step or more/],
    ["an unknown model", spec({ model: { type: "ALFI", parameters: {} } }), /did you mean "ALIF"/],
    ["an unknown surrogate", spec({ surrogate: { type: "triangel" } as never }), /did you mean "triangle"/],
  ])("refuses %s", async (_, given, message) => {
    await expect(compileNetwork(given)).rejects.toThrow(message);
  });
});
