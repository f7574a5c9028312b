/** After a bad update (x'Px not a number) whoever holds P starts it again; nothing of the bad update may be left. */
import { expect, it } from "vitest";
import { ModuleBuilder } from "../../wasm/assembler.ts";
import { encodeP, pLayout } from "./layout.ts";
import { neuronField, neuronRecordBytes, pendingBytes, scratchBytes, synapseBytes } from "./neuron-memory.ts";
import { initialP } from "./reference.ts";
import { addRlsKernels } from "./wasm.ts";

it("learns on from a P that was started again after it held something that is no number", () => {
  const inputs = 7;
  const layout = pLayout(inputs, "f32");
  const module = new ModuleBuilder();
  addRlsKernels(module, { layout, relaxed: false, compat: "none", bounded: false });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const compiled = new WebAssembly.Module(module.toBytes());
  const { rlsUpdate, rlsFlush } = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Record<
    string,
    (...args: number[]) => void
  >;
  const floats = new Float32Array(memory.buffer);
  const P = 1024;
  const pending = P + layout.bytes;
  const synapses = pending + pendingBytes(layout);
  const neurons = synapses + synapseBytes(layout);
  const scratch = neurons + neuronRecordBytes;
  const start = encodeP(layout, initialP(new Int8Array(inputs).fill(1), 0.5, 1, 0), 1);
  const learn = () => {
    for (let slot = 0; slot < inputs; slot++)
      floats[synapses / 4 + 8 * (slot >> 2) + (slot & 3) + 4] = 0.1 * (slot + 1);
    floats[(neurons + neuronField.bias) / 4] = -1;
    rlsUpdate(1, P, pending, synapses, neurons, scratch, scratch + scratchBytes(layout));
  };
  floats[(neurons + neuronField.scale) / 4] = 1;
  floats.set(start, P / 4);
  learn();
  const flag = new Int32Array(memory.buffer, neurons + neuronField.resetFlag, 1);
  const good = floats.slice(synapses / 4, neurons / 4);
  expect(flag[0]).toBe(0);

  floats[P / 4 + 5] = Number.NaN;
  learn();
  expect(flag[0]).toBe(1);
  flag[0] = 0;
  floats.set(start, P / 4);
  floats.fill(0, synapses / 4, neurons / 4);
  learn();
  rlsFlush(1, P, pending, neurons);
  expect(flag[0]).toBe(0);
  expect(floats.slice(synapses / 4, neurons / 4)).toEqual(good);
  expect(floats.slice(P / 4, P / 4 + start.length).every(Number.isFinite)).toBe(true);
});
