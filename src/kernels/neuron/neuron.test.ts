/**
 * The neuron kernel against float64 loops: for LIF a loop written out from the equations of the method (docs/method.md,
 * section "Neuron and synapses"), for the other models the plain stepper of model/.
 *
 * Both get the same arrivals, noise and stimulus. Single precision may let a neuron cross the threshold one step earlier
 * or later: such a neuron is allowed for if it was within `tolerance` of the threshold, and then set back to the kernel's
 * state, so that thousands of steps can be compared.
 */

import { describe, expect, it } from "vitest";
import { freeGain } from "../../../test/support/free-gain.ts";
import { builtInModels, evaluateHoisted, ModelStepper, type PerNeuron, resolveModel } from "../../model/index.ts";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { fixedPointOne } from "../delivery/reference.ts";
import type { NeuronKernelOptions } from "./equations.ts";
import { neuronProgram } from "./program.ts";
import { addNeuronKernel, addRecordingKernels, type WorkArray, workArrays } from "./wasm.ts";

const dtMs = 0.1;
/** Neurons, the local index of the first, room for all with padding, and the global index of the first. */
const n = 21;
const firstLocal = 16;
const capacity = 48;
const firstGlobal = 1000;
/** Of voltages and currents of order 1: factors near 1 are rounded to 6e-8 and act over up to 1500 steps. */
const tolerance = 2e-4;

const at = (value: PerNeuron, i: number) => (typeof value === "number" ? value : value[i]);
const each = (make: (i: number) => number) => Float32Array.from({ length: n }, (_, i) => make(i));

/** A repeatable source of numbers in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

interface Setup {
  readonly model?: string;
  readonly static?: NeuronKernelOptions["static"];
  readonly arrivals?: NeuronKernelOptions["arrivals"];
  readonly plastic?: boolean;
  readonly noise?: NeuronKernelOptions["noise"];
  /** Of the model, of the synapses, `drive` and `noiseStep`. */
  readonly parameters?: Readonly<Record<string, PerNeuron>>;
  readonly refractory?: number | readonly number[];
}

const modelNames = (type: string) => Object.keys(builtInModels[type].parameters);

/** A kernel of one population in the middle of a shard, and views of what it works on (index 0: its first neuron). */
function makeKernel(setup: Setup) {
  const { parameters = {}, refractory = 1 } = setup;
  const type = setup.model ?? "LIF";
  const known = modelNames(type);
  const ofModel = Object.fromEntries(Object.entries(parameters).filter(([name]) => known.includes(name)));
  const resolved = resolveModel({ type, parameters: ofModel }, n);
  const { states, step, margin, reset, refractory: whileRefractory } = resolved.model;
  const options: NeuronKernelOptions = {
    membrane: { states: Object.keys(states), step, margin, reset, refractory: whileRefractory },
    static: setup.static ?? "none",
    arrivals: setup.arrivals ?? "counts",
    plastic: setup.plastic ?? true,
    noise: setup.noise ?? "none",
  };
  const program = neuronProgram(options);
  const values: Record<string, PerNeuron> = {
    tauExcMs: 3,
    tauInhMs: 3,
    tauPlasticMs: 150,
    weightExc: 0.4,
    weightInh: -0.6,
    drive: 0,
    noiseStep: 0,
    dtMs,
    ...resolved.parameters,
    ...parameters,
  };
  Object.assign(values, evaluateHoisted(program.hoisted, values, dtMs, n));

  let free = 256;
  const take = (bytes: number) => {
    free += 64 * Math.ceil(bytes / 64);
    return free - 64 * Math.ceil(bytes / 64);
  };
  const constants = [...program.constants, "drive"];
  const stateNames = [...program.equations.synapticStates, ...program.equations.membraneStates];
  const address = new Map<string, number>();
  for (const name of [...stateNames, ...workArrays]) address.set(name, take(4 * capacity));
  const perNeuron = new Map<string, number>();
  for (const name of constants) if (typeof values[name] !== "number") perNeuron.set(name, take(4 * capacity));
  const arrays = {
    state: (name: string) => address.get(name)!,
    work: (name: WorkArray) => address.get(name)!,
    perNeuron: (name: string) => perNeuron.get(name) ?? null,
    refractory: take(capacity),
    refractoryPeriod: take(capacity),
  };
  const [numbersAt, spikesAt] = [take(4 * constants.length), take(4 * capacity)];
  const module = new ModuleBuilder();
  addNeuronKernel(module, program, options, arrays, false);
  addRecordingKernels(module, program.equations.synapticStates, arrays);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(free / 65536) });
  const compiled = new WebAssembly.Module(module.toBytes());
  const kernels = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Record<
    string,
    (...args: number[]) => number
  >;
  const floats = (name: string) =>
    new Float32Array(memory.buffer, address.get(name)! + 4 * firstLocal, capacity - firstLocal);
  const integers = (name: WorkArray) =>
    new Int32Array(memory.buffer, address.get(name)! + 4 * firstLocal, capacity - firstLocal);
  const block = new Float32Array(memory.buffer, numbersAt, constants.length);
  for (const [i, name] of constants.entries()) {
    const value = values[name];
    if (typeof value === "number") block[i] = value;
    else new Float32Array(memory.buffer, perNeuron.get(name)! + 4 * firstLocal, n).set(value);
  }
  const periods = new Uint8Array(memory.buffer, arrays.refractoryPeriod + firstLocal, n);
  periods.set(typeof refractory === "number" ? new Array(n).fill(refractory) : refractory);
  const spikes = new Uint32Array(memory.buffer, spikesAt, capacity);
  return {
    kernels,
    floats,
    integers,
    values,
    resolved,
    stateNames,
    periods,
    whole: (name: string) => new Float32Array(memory.buffer, address.get(name)!, capacity),
    /** Neurons (from 0) that spiked. */
    step(stimulated: boolean): number[] {
      const run = stimulated ? kernels.stepNeuronsStimulated : kernels.stepNeurons;
      const count = run(firstLocal, firstLocal + n, firstGlobal, numbersAt, spikesAt);
      return Array.from(spikes.subarray(0, count), (spike) => spike - firstGlobal);
    },
  };
}

type Kernel = ReturnType<typeof makeKernel>;

/** The same neurons in float64, one after the other. */
interface Twin {
  /** By name as in the kernel. */
  readonly states: Readonly<Record<string, Float64Array>>;
  /** One step of neuron i: whether it spiked, and how far its voltage was from the threshold (Infinity: not known). */
  step(i: number, input: Input): { spiked: boolean; distance: number };
  /** The kernel's neuron i was the other side of the threshold: the refractory time follows the kernel. */
  correct(i: number, spiked: boolean): void;
}

/** What neuron i gets in a step: charges, noise of standard deviation 1, stimulus. */
interface Input {
  readonly E: number;
  readonly I: number;
  readonly P: number;
  readonly gauss: number;
  readonly stimulus: number;
}

/** LIF, line by line from the specification. */
function lifTwin(setup: Setup, { values, periods }: Kernel): Twin {
  const zeros = () => new Float64Array(n);
  const [ue, ui, up, v, wait] = [zeros(), zeros(), zeros(), zeros(), zeros()];
  const states: Record<string, Float64Array> = { v };
  if (setup.plastic !== false) states.uPlastic = up;
  if (setup.static === "separate") Object.assign(states, { uExc: ue, uInh: ui });
  // One current for both stands in ue, ui stays 0.
  if (setup.static === "merged") states.uStatic = ue;
  return {
    states,
    step(i, { E, I, P, gauss, stimulus }) {
      const value = (name: string) => at(values[name], i);
      const merged = setup.static === "merged";
      ue[i] += (-dtMs * ue[i] + E + (merged ? I : 0)) / value("tauExcMs");
      ui[i] += (-dtMs * ui[i] + (merged ? 0 : I)) / value("tauInhMs");
      up[i] += (-dtMs * up[i] + P) / value("tauPlasticMs");
      let u = ue[i] + ui[i] + up[i];
      if (setup.noise === "current") u += value("noiseStep") * gauss;
      if (setup.noise === "voltage") v[i] += value("noiseStep") * gauss;
      if (wait[i] > 0) {
        wait[i]--;
        return { spiked: false, distance: Infinity };
      }
      v[i] += (dtMs / value("tauMemMs")) * (value("drive") + stimulus + u - v[i]);
      const above = v[i] - value("threshold");
      if (above > 0) {
        v[i] = value("reset");
        wait[i] = periods[i];
      }
      return { spiked: above > 0, distance: Math.abs(above) };
    },
    correct(i, spiked) {
      wait[i] = spiked ? periods[i] : 0;
    },
  };
}

/** Any model, by the plain stepper; without synapses. */
function modelTwin({ resolved, values, periods }: Kernel): Twin {
  const stepper = new ModelStepper(resolved, n, dtMs);
  const wait = new Float64Array(n);
  return {
    states: stepper.states,
    step(i, { stimulus }) {
      const paused = wait[i] > 0;
      if (paused) wait[i]--;
      const spiked = stepper.advance(i, at(values.drive, i) + stimulus, paused);
      if (spiked) wait[i] = periods[i];
      return { spiked, distance: Infinity };
    },
    correct() {},
  };
}

interface Run {
  steps: number;
  stimulus?: (step: number, i: number) => number;
  /** Most spikes that may come a step early or late. */
  flips?: number;
}

/** Runs both; returns how many spikes there were. */
function compare(setup: Setup, kernel: Kernel, twin: Twin, { steps, stimulus, flips = 3 }: Run): number {
  const next = numbers(steps);
  const counts = new Array(n).fill(0);
  let flipped = 0;
  const weighted = setup.arrivals === "weights";
  const gain = setup.model === undefined ? 1 : freeGain(setup.model, dtMs);
  for (const name of Object.keys(twin.states)) {
    // Everywhere below threshold, and different.
    const scale = name === "v" ? 0.9 * Math.min(1, at(kernel.values.threshold ?? 1, 0)) : 0.1 / gain;
    for (let i = 0; i < n; i++)
      twin.states[name][i] = kernel.floats(name)[i] = Math.fround(scale * next() - 0.05 / gain);
  }
  for (let step = 0; step < steps; step++) {
    const inputs = Array.from({ length: n }, (_, i): Input => {
      const [e, inh] = [Math.floor(1.2 * next()), Math.floor(1.2 * next())];
      const [qe, qi] = [Math.round(0.05 * next() * fixedPointOne), -Math.round(0.05 * next() * fixedPointOne)];
      const qp = Math.round((next() - 0.45) * fixedPointOne);
      const gauss = Math.fround(3.46 * (next() - 0.5));
      const external = Math.fround(stimulus?.(step, i) ?? 0);
      if (weighted) [kernel.integers("arrivedExc")[i], kernel.integers("arrivedInh")[i]] = [qe, qi];
      else kernel.integers("counts")[i] = e + 0x10000 * inh;
      kernel.integers("arrivedPlastic")[i] = qp;
      kernel.floats("noise")[i] = gauss;
      kernel.floats("stimulus")[i] = external;
      const charge = (count: number, weight: string, q: number) =>
        setup.static === undefined ? 0 : weighted ? q / fixedPointOne : count * at(kernel.values[weight], i);
      return {
        E: charge(e, "weightExc", qe),
        I: charge(inh, "weightInh", qi),
        P: setup.plastic === false ? 0 : qp / fixedPointOne,
        gauss,
        stimulus: external,
      };
    });
    // Padding neurons of the last group of four are far above the threshold.
    kernel.floats("v").fill(1000, n);
    const spiked = kernel.step(stimulus !== undefined);
    // An `expect` for each of so many spikes would take longer than the rest.
    for (let k = 0; k < spiked.length; k++) {
      const inOrder = spiked[k] >= 0 && spiked[k] < n && (k === 0 || spiked[k] > spiked[k - 1]);
      if (!inOrder) expect.fail(`neurons ${spiked} spiked at step ${step}`);
      counts[spiked[k]]++;
    }
    for (let i = 0; i < n; i++) {
      const expected = twin.step(i, inputs[i]);
      const actual = spiked.includes(i);
      if (expected.spiked !== actual) {
        expect(expected.distance, `neuron ${i} at step ${step}`).toBeLessThan(tolerance);
        flipped++;
        twin.correct(i, actual);
        for (const [name, values] of Object.entries(twin.states)) values[i] = kernel.floats(name)[i];
        continue;
      }
      for (const [name, values] of Object.entries(twin.states)) {
        const error = Math.abs(kernel.floats(name)[i] - values[i]);
        if (!(error < tolerance * Math.max(1, Math.abs(values[i])))) {
          expect.fail(`${name} of neuron ${i} at step ${step}: ${kernel.floats(name)[i]} against ${values[i]}`);
        }
      }
    }
  }
  for (const name of ["counts", "arrivedExc", "arrivedInh", "arrivedPlastic"] as const) {
    const used = name === "arrivedPlastic" ? setup.plastic !== false : setup.static && (name === "counts") !== weighted;
    if (used) expect([...kernel.integers(name).subarray(0, n)], `${name} is consumed`).toEqual(new Array(n).fill(0));
  }
  expect([...kernel.integers("spikeCount").subarray(0, n)]).toEqual(counts);
  expect([...kernel.integers("spikeCount").subarray(n)]).toEqual(new Array(capacity - firstLocal - n).fill(0));
  expect(flipped).toBeLessThanOrEqual(flips);
  return counts.reduce((a, b) => a + b, 0);
}

const noiseStep = 0.65 * Math.sqrt(dtMs / 10);
const lif: [string, Setup][] = [
  ["no synapses, voltage noise", { plastic: false, noise: "voltage", parameters: { drive: 0.8, noiseStep } }],
  ["plastic synapses only, no noise", { parameters: { drive: 1.02 } }],
  ["merged static currents from counts", { static: "merged", parameters: { drive: 1.1 } }],
  [
    "separate static currents from counts, voltage noise",
    { static: "separate", noise: "voltage", parameters: { drive: 1, noiseStep, tauInhMs: 7 } },
  ],
  [
    "merged static currents from weights, current noise",
    {
      static: "merged",
      arrivals: "weights",
      noise: "current",
      parameters: { drive: 1, noiseStep: 0.65 * Math.sqrt(10 / dtMs) },
    },
  ],
  [
    "separate static currents from weights, no refractory time",
    { static: "separate", arrivals: "weights", refractory: 0, parameters: { drive: 1.3, tauInhMs: 8, reset: -0.2 } },
  ],
  [
    "a refractory time of 5 steps, voltage noise",
    { noise: "voltage", refractory: 5, parameters: { drive: 1.3, noiseStep } },
  ],
  [
    "constants per neuron, refractory times included",
    {
      static: "separate",
      noise: "voltage",
      refractory: Array.from({ length: n }, (_, i) => (7 * i) % 12),
      parameters: {
        drive: each((i) => 0.9 + i / 40),
        noiseStep: each((i) => noiseStep * (0.5 + i / n)),
        tauMemMs: each((i) => 5 + i),
        threshold: each((i) => 1 + 0.02 * (i % 5)),
        reset: each((i) => -0.1 * (i % 3)),
        tauExcMs: each((i) => 2 + i / 10),
        tauInhMs: each((i) => 3 + i / 5),
        tauPlasticMs: each((i) => 60 + 5 * i),
      },
    },
  ],
];

describe("LIF neurons with", () => {
  it.each(lif)("%s follow the equations for 4000 steps", (_, setup) => {
    const kernel = makeKernel(setup);
    const spikes = compare(setup, kernel, lifTwin(setup, kernel), { steps: 4000 });
    expect(spikes).toBeGreaterThan(100);
    expect(spikes).toBeLessThan(20_000);
  });

  it("a stimulus feel it in the stimulated step only", () => {
    const setup: Setup = { static: "merged", parameters: { drive: 0.8 } };
    const stimulus = (step: number, i: number) => 0.5 * Math.sin(step / 200 + i);
    const kernel = makeKernel(setup);
    expect(compare(setup, kernel, lifTwin(setup, kernel), { steps: 2000, stimulus })).toBeGreaterThan(20);
    kernel.floats("stimulus").fill(1e6);
    kernel.floats("v").fill(0);
    expect(kernel.step(false)).toEqual([]);
  });

  it.each([0, 1, 5, 255])(
    "a refractory time of %i steps spike every so many steps under a strong current",
    (refractory) => {
      const { step } = makeKernel({ plastic: false, refractory, parameters: { drive: 1000 } });
      const times = Array.from({ length: 600 }, (_, t) => (step(false).length === n ? t : -1)).filter((t) => t >= 0);
      expect(times).toEqual(Array.from({ length: Math.ceil(600 / (refractory + 1)) }, (_, k) => k * (refractory + 1)));
    },
  );

  it("a voltage exactly at the threshold do not spike", () => {
    const kernel = makeKernel({ plastic: false, parameters: { drive: 1 } });
    kernel.floats("v").fill(1);
    expect(kernel.step(false)).toEqual([]);
  });
});

/** Models that the kernel can feed: with the one input `current`. */
const usualModels = Object.keys(builtInModels).filter((name) => builtInModels[name].inputs.join() === "current");

describe.each(usualModels)("%s neurons in the kernel", (model) => {
  const refractory = Array.from({ length: n }, (_, i) => (model === "LIF" ? i % 4 : 1));

  it("follow the plain stepper below threshold", () => {
    const gain = freeGain(model, dtMs);
    const kernel = makeKernel({ model, plastic: false, refractory, parameters: { drive: 0.3 / gain } });
    const stimulus = (step: number, i: number) => (0.3 * Math.sin(step / 300 + i)) / gain;
    const spikes = compare({ model, plastic: false }, kernel, modelTwin(kernel), { steps: 2000, stimulus, flips: 0 });
    expect(spikes).toBe(0);
  });

  it("spike and reset as the plain stepper does", () => {
    const setup: Setup = {
      model,
      plastic: false,
      parameters: { drive: 5, tauMemMs: each((i) => 7 + i / 3) },
    };
    const kernel = makeKernel(setup);
    expect(compare(setup, kernel, modelTwin(kernel), { steps: 500, flips: 0 })).toBeGreaterThan(50);
  });
});

describe("recording", () => {
  const setup: Setup = { static: "separate", parameters: { tauInhMs: 9 } };

  it("adds the sum of the synaptic currents", () => {
    const { kernels, whole } = makeKernel(setup);
    const names = ["uExc", "uInh", "uPlastic"];
    names.forEach((name, k) => {
      whole(name).forEach((_, i, values) => {
        values[i] = (k + 1) * i;
      });
    });
    whole("currentSum").fill(0.5);
    kernels.recordCurrents(16, 32);
    kernels.recordCurrents(16, 32);
    const expected = Array.from({ length: capacity }, (_, i) => 0.5 + (i >= 16 && i < 32 ? 12 * i : 0));
    expect([...whole("currentSum")]).toEqual(expected);
  });

  it("moves the stimulus on by decay and noise", () => {
    const { kernels, whole } = makeKernel(setup);
    whole("stimulus").forEach((_, i, values) => {
      values[i] = i;
    });
    whole("noise").fill(2);
    kernels.stepStimulus(0, 32, 0.5, 0.25);
    expect([...whole("stimulus")]).toEqual(Array.from({ length: capacity }, (_, i) => (i < 32 ? i / 2 + 0.5 : i)));
  });

  it("flushes currents that are next to nothing, of both signs, and leaves others", () => {
    const { kernels, whole } = makeKernel(setup);
    const values = Float32Array.of(1e-19, -1e-19, 1e-21, -1e-21, 1e-40, -1e-40, 0, 3);
    for (const name of ["uExc", "uInh", "uPlastic", "v"]) whole(name).set(values);
    kernels.flushCurrents(0, 8);
    for (const name of ["uExc", "uInh", "uPlastic"]) {
      expect([...whole(name).subarray(0, 8)]).toEqual([values[0], values[1], 0, 0, 0, 0, 0, 3]);
    }
    expect(whole("v").subarray(0, 8), "only currents").toEqual(values);
  });
});
