/** Every model's float32 step in WebAssembly against its float64 twin. */
import { describe, expect, it } from "vitest";
import izhikevich from "../../examples/models/izhikevich.ts";
import { freeGain } from "../../test/support/free-gain.ts";
import { emitVector, type Leaf } from "../expression/index.ts";
import { f32x4, i32, type Local, ModuleBuilder, v128 } from "../wasm/assembler.ts";
import {
  builtInModels,
  evaluateHoisted,
  hoistModel,
  type Model,
  ModelStepper,
  type PerNeuron,
  resolveModel,
} from "./index.ts";

const n = 8;
const dtMs = 0.1;

/** One array of n numbers per state, then the inputs, then parameters and hoisted values, then a mask of spikes. */
function compile(model: Model, parameters: Record<string, PerNeuron>) {
  const split = hoistModel(model);
  const values = { ...parameters, ...evaluateHoisted(split.hoisted, parameters, dtMs, n) };
  const states = Object.keys(split.step);
  const names = [...states, ...model.inputs, ...split.parameters, ...split.hoisted.map((h) => h.name), "spiked"];
  const offset = (name: string) => names.indexOf(name) * n * 4;
  const module = new ModuleBuilder();
  module.function("step", {}, (f) => {
    const at = f.let(i32.const(0));
    f.repeat(
      () => {
        const load = (leaf: Leaf) => v128.load(at, offset(leaf.name));
        const next = emitVector(f, Object.values(split.step), load);
        const after = (leaf: Leaf) => (leaf.op === "state" ? next[states.indexOf(leaf.name)] : load(leaf));
        const [margin, ...reset] = emitVector(f, [split.margin, ...Object.values(split.reset)], after);
        const spiked: Local<"v128"> = f.let(f32x4.gt(margin, v128.zero));
        for (const [i, name] of states.entries()) {
          f.push(v128.store(at, v128.bitselect(reset[i], next[i], spiked), offset(name)));
        }
        f.push(v128.store(at, spiked, offset("spiked")));
        f.advance(at, 16);
      },
      () => i32.ltU(at, i32.const(n * 4)),
    );
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), { env: { memory } });
  const column = (name: string) => new Float32Array(memory.buffer, offset(name), n);
  for (const name of [...split.parameters, ...split.hoisted.map((h) => h.name)]) {
    const value = values[name];
    if (typeof value === "number") column(name).fill(value);
    else column(name).set(value);
  }
  const spiked = new Int32Array(memory.buffer, offset("spiked"), n);
  return { step: instance.exports.step as () => void, column, spiked };
}

describe.each(Object.entries({ ...builtInModels, izhikevich }))("%s in WebAssembly", (name, model) => {
  const scale = model === izhikevich ? 65 : 1;
  const [first] = model.inputs;
  // The slowest neuron below takes almost three times the default time constant.
  const gain = model === izhikevich ? 1 : Math.max(1, 3 * freeGain(name, dtMs) - 2);
  const chosen: Record<string, PerNeuron> = {};
  if ("tauMemMs" in model.parameters) chosen.tauMemMs = Float32Array.from({ length: n }, (_, i) => 5 + 3 * i);
  const resolved = resolveModel({ type: name, parameters: chosen }, n, model);

  it("follows the float64 step over 1000 steps below threshold", () => {
    const fast = compile(model, resolved.parameters);
    const twin = new ModelStepper(resolved, n, dtMs);
    const start = (state: string, i: number) =>
      model === izhikevich ? (state === "v" ? -65 : -13) : (0.02 * i) / (state === "v" ? 1 : gain);
    for (const state of Object.keys(model.states)) {
      for (let i = 0; i < n; i++) twin.states[state][i] = fast.column(state)[i] = Math.fround(start(state, i));
    }
    let worst = 0;
    for (let t = 0; t < 1000; t++) {
      for (let i = 0; i < n; i++) fast.column(first)[i] = (0.5 + 0.3 * Math.sin(t / 50 + i)) / gain;
      for (let i = 0; i < n; i++) expect(twin.advance(i, fast.column(first)[i])).toBe(false);
      fast.step();
      expect([...fast.spiked]).toEqual(new Array(n).fill(0));
      for (const state of Object.keys(model.states)) {
        for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(fast.column(state)[i] - twin.states[state][i]));
      }
    }
    expect(worst / scale).toBeLessThan(2e-5);
  });

  it("spikes and resets as the float64 step does", () => {
    const fast = compile(model, resolved.parameters);
    const twin = new ModelStepper(resolved, n, dtMs);
    for (const [k, state] of Object.keys(model.states).entries()) {
      for (let i = 0; i < n; i++) twin.states[state][i] = fast.column(state)[i] = Math.fround(0.1 * (k + 1) + 0.01 * i);
    }
    // Half of the neurons jump far over the threshold in one step.
    for (let i = 0; i < n; i++) fast.column(first)[i] = i % 2 === 0 ? 50_000 : -1;
    // Where the voltage feels the current of the step before, one step later.
    const late = !new ModelStepper(resolved, n, dtMs).advance(0, 50_000);
    if (late) {
      fast.step();
      for (let i = 0; i < n; i++) twin.advance(i, fast.column(first)[i]);
    }
    fast.step();
    for (let i = 0; i < n; i++) {
      expect(twin.advance(i, fast.column(first)[i])).toBe(i % 2 === 0);
      expect(fast.spiked[i] !== 0).toBe(i % 2 === 0);
      for (const state of Object.keys(model.states)) {
        const truth = twin.states[state][i];
        expect(Math.abs(fast.column(state)[i] - truth)).toBeLessThan(1e-6 * Math.max(1, Math.abs(truth)));
      }
    }
  });
});
