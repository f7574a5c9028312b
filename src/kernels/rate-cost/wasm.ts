/**
 * What GeNN's rate regulariser adds to the learning signal of every step (equations: learning/losses/filtered-rate.ts),
 * for a whole sample: cost(t) = constant + strength (f(t) - target), f(t) = decay f(t-1) + (1 - decay) z(t).
 */

import { flushTiny } from "../../expression/vector-math.ts";
import { type FunctionReference, f32, f32x4, i32, i32x4, type ModuleBuilder, v128 } from "../../wasm/assembler.ts";
import { padded } from "../rows/wasm.ts";

export interface RateCostArrays {
  /** Byte addresses: f (padded size), the constant part (padded size), costs ([step][padded size]). */
  readonly filtered: number;
  readonly constant: number;
  readonly costs: number;
  /** Addresses of where the spikes of each step start (u32 each), as the step kernel leaves them. */
  readonly spikeStarts: number;
}

type Signature = { steps: "i32"; strength: "f32"; target: "f32"; decay: "f32" };

/** Adds `name(steps, strength, target, decay)`. Padding gets no cost. */
export function addRateCosts(
  module: ModuleBuilder,
  name: string,
  size: number,
  arrays: RateCostArrays,
): FunctionReference<Signature, "none"> {
  const row = 4 * padded(size);
  const signature: Signature = { steps: "i32", strength: "f32", target: "f32", decay: "f32" };
  const last = Array.from({ length: 4 }, (_, lane) => (row / 4 - 4 + lane < size ? -1 : 0));
  return module.function(name, signature, (f, { steps, strength, target, decay }) => {
    const [factor, goal, keep] = [strength, target, decay].map((x) => f.let(f32x4.splat(x)));
    const gain = f.let(f32.sub(f32.const(1), decay));
    const at = f.let(i32.const(0));
    const clear = () => f.push(v128.store(at, v128.zero, arrays.filtered));
    f.repeat(
      () => {
        clear();
        f.advance(at, 16);
      },
      () => i32.ltU(at, i32.const(row)),
    );
    const entry = f.let(i32.const(0));
    const to = f.let(i32.const(arrays.costs));
    f.while(
      () => i32.ltU(entry, i32.shl(steps, i32.const(2))),
      () => {
        const spike = f.let(i32.load(entry, arrays.spikeStarts));
        const end = f.let(i32.load(entry, arrays.spikeStarts + 4));
        f.while(
          () => i32.ltU(spike, end),
          () => {
            const neuron = f.let(i32.shl(i32.load(spike), i32.const(2)));
            f.push(f32.store(neuron, f32.add(f32.load(neuron, arrays.filtered), gain), arrays.filtered));
            f.advance(spike, 4);
          },
        );
        f.set(at, i32.const(0));
        const vector = (mask: boolean) => {
          const rate = f.let(v128.load(at, arrays.filtered));
          const cost = f32x4.add(v128.load(at, arrays.constant), f32x4.mul(factor, f32x4.sub(rate, goal)));
          f.push(v128.store(to, mask ? v128.and(cost, i32x4.const(last[0], last[1], last[2], last[3])) : cost));
          f.push(v128.store(at, flushTiny(f.let(f32x4.mul(rate, keep))), arrays.filtered));
          f.advance(at, 16);
          f.advance(to, 16);
        };
        f.while(
          () => i32.ltU(at, i32.const(row - 16)),
          () => vector(false),
        );
        vector(true);
        f.advance(entry, 4);
      },
    );
  });
}
