/**
 * Dropout: what neurons send is left out for some of them, as WebAssembly made for one population. With a factor m_i for
 * every neuron, 0 or 1/(1 - p):
 *
 *   forward:   a spike of neuron i arrives as m_i; spikes with m_i = 0 are not in the list of what is sent
 *   backward:  dL/d(spike i) = cost_i + m_i dL/d(what arrived)
 *
 * Srivastava et al., J. Mach. Learn. Res. 15 (2014), with the scale in training, so that nothing changes outside it.
 */
import {
  type FunctionBuilder,
  type FunctionReference,
  f32,
  f32x4,
  type I32,
  i32,
  type ModuleBuilder,
  v128,
} from "../../wasm/assembler.ts";

/**
 * Adds `name(from, end, to)`: copies the spikes (u32) between `from` and `end` that are sent to `to`.
 * @param factors address of the factors (f32)
 * @param distance bytes from an entry of the list of what is sent to its value (f32)
 * @returns the function; it returns the end of the list
 */
export function addSend(
  module: ModuleBuilder,
  name: string,
  factors: number,
  distance: number,
): FunctionReference<{ from: "i32"; end: "i32"; to: "i32" }, "i32"> {
  return module.functionReturning(name, { from: "i32", end: "i32", to: "i32" }, "i32", (f, { from, end, to }) => {
    f.while(
      () => i32.ltU(from, end),
      () => {
        const neuron = f.let(i32.load(from));
        const factor = f.let(f32.load(i32.shl(neuron, i32.const(2)), factors));
        f.if(f32.gt(factor, f32.const(0)), () => {
          f.push(i32.store(to, neuron));
          f.push(f32.store(to, factor, distance));
          f.advance(to, 4);
        });
        f.advance(from, 4);
      },
    );
    f.result(to);
  });
}

/** adjoint[:] = cost[:] + factors[:] adjoint[:], rows of `bytes` bytes. */
export function multiplyAdjoint(f: FunctionBuilder, adjoint: number, factors: number, cost: I32, bytes: number): void {
  const costs = f.let(cost);
  const offset = f.let(i32.const(0));
  f.repeat(
    () => {
      const sent = f32x4.mul(v128.load(offset, adjoint), v128.load(offset, factors));
      f.push(v128.store(offset, f32x4.add(v128.load(costs), sent), adjoint));
      f.advance(offset, 16);
      f.advance(costs, 16);
    },
    () => i32.ltU(offset, i32.const(bytes)),
  );
}
