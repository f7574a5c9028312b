import { describe, expect, it } from "vitest";
import { noiseNet, staticNet } from "../../../test/rls/specs.ts";
import { pLayout } from "../../kernels/rls/layout.ts";
import { neuronRecordBytes, pendingBytes, scratchBytes, synapseBytes } from "../../kernels/rls/neuron-memory.ts";
import { type CompiledNetwork, compileNetwork } from "./compile.ts";
import { planShard, type Region, type ShardMemory, type ShardSize } from "./shard-memory.ts";
import type { RlsSpec } from "./spec.ts";

const feedforward = { size: 3, meanHz: 5, tauMs: 100, sigma: 1, initialWeight: 0, weightsPerTask: false };
const perNeuron = new Float32Array(200).fill(100);
const size: ShardSize = { capacity: 112, segments: 2, trained: 37, staticSynapses: 1003 };

const networks: [string, RlsSpec][] = [
  ["noise", noiseNet()],
  ["static synapses, no noise", staticNet({ stimulus: { tauMs: 20, sigma: 0 } })],
  [
    "separate currents and constants per neuron",
    staticNet({ synapses: { tauExcMs: 3, tauInhMs: perNeuron, tauPlasticMs: perNeuron } }),
  ],
  [
    "feed-forward inputs, two tasks, blocks, int16",
    noiseNet({ feedforward, tasks: 2, learning: { block: 3, precision: "int16" } }),
  ],
  ["a window", noiseNet({ learning: { window: 5 } })],
  ["GLIF5", noiseNet({ model: { type: "GLIF5", parameters: { refractoryMs: perNeuron.map(() => 2) } } })],
  ["static weights", staticNet({ static: { ...staticNet().static!, rule: { module: "x", export: "y" } } })],
];

/** What every region must hold at least, worked out from the network once more. */
function neededBytes({ spec, program, inputs, sources, options }: CompiledNetwork): Record<Region, number> {
  const { capacity, segments, trained, staticSynapses } = size;
  const layout = pLayout(inputs, spec.learning.precision);
  const { block, window } = spec.learning;
  const held = block > 1 ? block : window;
  const weighted = options.arrivals === "weights";
  return {
    constants: segments * 4 * (program.constants.length + 1),
    spikesIn: 4 * sources,
    spikesOut: 4 * capacity,
    staticOffsets: spec.static ? 4 * (spec.neurons + 1) : 0,
    staticTargets: 2 * staticSynapses,
    staticWeights: weighted ? 4 * staticSynapses : 0,
    plasticOffsets: 4 * (sources + 1),
    plasticEntries: 4 * trained * inputs,
    neuronOf: 2 * trained,
    gains: typeof spec.synapses.tauPlasticMs === "number" ? 0 : 4 * trained,
    neurons: neuronRecordBytes * trained,
    synapses: synapseBytes(layout) * trained,
    targets: 4 * spec.tasks * 8 * trained,
    P: window > 0 ? 2 * layout.bytes + pendingBytes(layout) : layout.bytes * trained,
    pending: window > 0 ? 0 : pendingBytes(layout) * trained,
    scratch: scratchBytes(layout),
    bounds: synapseBytes(layout),
    samples: held * 16 * layout.tileRows * trained,
    biases: held * 4 * trained,
  };
}

/** All arrays of the shard with their sizes. */
function arraysOf(network: CompiledNetwork, { arrays, at, perNeuronConstants }: ShardMemory) {
  const { equations } = network.program;
  const { capacity } = size;
  const columns = [
    ...[...equations.synapticStates, ...equations.membraneStates].map((name) => ({ name, from: arrays.state(name) })),
    ...(
      ["counts", "arrivedExc", "arrivedInh", "arrivedPlastic", "noise", "stimulus", "spikeCount", "currentSum"] as const
    )
      .map((name) => ({ name: name as string, from: arrays.work(name) }))
      .filter(({ from }) => from !== 0),
    ...perNeuronConstants.map((name) => ({ name, from: arrays.perNeuron(name)! })),
  ].map((column) => ({ ...column, bytes: 4 * capacity }));
  const needed = neededBytes(network);
  const regions = Object.entries(at).map(([name, from]) => ({ name, from, bytes: needed[name as Region] }));
  const periods = [arrays.refractory, arrays.refractoryPeriod].map((from) => ({
    name: "refractory",
    from,
    bytes: capacity,
  }));
  return [...columns, ...periods, ...regions];
}

describe.each(networks)("the memory of a shard with %s", (_, spec) => {
  it("has room for every array, aligned, without overlap", async () => {
    const network = await compileNetwork(spec);
    const memory = planShard(network, size);
    const all = arraysOf(network, memory).filter(({ bytes }) => bytes > 0);
    all.sort((a, b) => a.from - b.from);
    all.forEach(({ name, from, bytes }, i) => {
      expect(from % 64, `${name} is aligned`).toBe(0);
      expect(from).toBeGreaterThanOrEqual(1024);
      const end = i + 1 < all.length ? all[i + 1].from : memory.bytes;
      expect(from + bytes, `${name} ends before the next begins`).toBeLessThanOrEqual(end);
    });
    expect(Object.values(memory.parts).reduce((a, b) => a + b, 0)).toBe(memory.bytes - 1024);
  });

  it("keeps the arrays that its kernels use, and of arrivals only those", async () => {
    const network = await compileNetwork(spec);
    const { arrays, perNeuronConstants } = planShard(network, size);
    const used = (name: Parameters<typeof arrays.work>[0]) => arrays.work(name) !== 0;
    const { options } = network;
    expect(used("counts")).toBe(options.static !== "none" && options.arrivals === "counts");
    expect(used("arrivedExc")).toBe(options.static !== "none" && options.arrivals === "weights");
    expect(used("arrivedInh")).toBe(used("arrivedExc"));
    expect(used("noise")).toBe(options.noise !== "none" || spec.stimulus.sigma > 0);
    for (const name of network.program.constants) {
      const varies = network.constants.some((values) => typeof values[name] !== "number");
      expect(perNeuronConstants.includes(name)).toBe(varies);
      expect(arrays.perNeuron(name) !== null).toBe(varies);
    }
  });

  it("grows with the shard", async () => {
    const network = await compileNetwork(spec);
    const { bytes } = planShard(network, size);
    for (const larger of [{ capacity: 256 }, { trained: 100 }, ...(spec.static ? [{ staticSynapses: 5000 }] : [])]) {
      const most = spec.learning.window > 0 && "trained" in larger ? bytes : bytes + 63;
      expect(planShard(network, { ...size, ...larger }).bytes).toBeGreaterThan(most);
    }
  });
});
