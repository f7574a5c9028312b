/**
 * One time step of all neurons of a shard, four at a time, compiled from the neuron's equations.
 *
 * Arrays of a shard lie at fixed distances (`capacity` entries each), so one running offset reaches all of them and every
 * address is a constant. Spikes are rare: their list is written by scalar code behind one test per four neurons, and so
 * is the countdown of refractory neurons.
 */
import { type Expression, emitVector } from "../../expression/index.ts";
import {
  type FunctionBuilder,
  f32x4,
  type I32,
  i16x8,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  type V128,
  v128,
} from "../../wasm/assembler.ts";
import { fixedPointOne } from "../delivery/reference.ts";
import type { NeuronKernelOptions } from "./equations.ts";
import type { NeuronProgram } from "./program.ts";

/** Arrays that every shard has besides states and per-neuron parameters; all of 4-byte entries. */
export const workArrays = [
  "counts",
  "arrivedExc",
  "arrivedInh",
  "arrivedPlastic",
  "noise",
  "stimulus",
  "spikeCount",
  "currentSum",
] as const;

export type WorkArray = (typeof workArrays)[number];

export interface NeuronArrays {
  /** Byte address of entry 0 of an array of the shard. */
  readonly state: (name: string) => number;
  readonly work: (name: WorkArray) => number;
  /** Byte address of a per-neuron parameter or hoisted value, or null when it is one number per population. */
  readonly perNeuron: (name: string) => number | null;
  /** Byte addresses of the u8 refractory countdowns and of the u8 periods they start from, in steps. */
  readonly refractory: number;
  readonly refractoryPeriod: number;
}

type Vector = Local<"v128">;

/**
 * Adds `stepNeurons(from, to, firstGlobal, constants, spikes) -> number of spikes` and `stepNeuronsStimulated` (the
 * same, with the stimulus array added to the drive).
 *
 * Local neurons `from` (a multiple of 16) to `to` belong to one population; spikes are appended to the list at `spikes`
 * as global indices `firstGlobal + local - from`, ascending. `constants` is the address of the population's numbers, in
 * the order of `program.constants`, then `drive`. Arrivals are consumed (set to 0).
 */
export function addNeuronKernel(
  module: ModuleBuilder,
  program: NeuronProgram,
  options: NeuronKernelOptions,
  arrays: NeuronArrays,
  relaxed: boolean,
): void {
  for (const stimulated of [false, true]) {
    module.functionReturning(
      stimulated ? "stepNeuronsStimulated" : "stepNeurons",
      { from: "i32", to: "i32", firstGlobal: "i32", constants: "i32", spikes: "i32" },
      "i32",
      (f, { from, to, firstGlobal, constants, spikes }) => {
        const spikesStart = f.let(spikes);
        const toGlobal = f.let(i32.sub(firstGlobal, from));
        const splats = new Map<string, Vector>();
        [...program.constants, "drive"].forEach((name, index) => {
          if (arrays.perNeuron(name) === null) splats.set(name, f.let(v128.load32Splat(constants, 4 * index)));
        });
        const at = f.let(i32.shl(from, i32.const(2)));
        const end = f.let(i32.shl(to, i32.const(2)));
        f.repeat(
          () => {
            const group = new GroupStep(f, program, options, arrays, at, splats, stimulated, relaxed);
            const spiked = group.advance();
            f.if(v128.anyTrue(spiked), () => {
              const bits = f.let(i32x4.bitmask(spiked));
              f.while(
                () => bits,
                () => {
                  const local = f.let(i32.add(i32.shrU(at, i32.const(2)), i32.ctz(bits)));
                  f.set(bits, i32.and(bits, i32.sub(bits, i32.const(1))));
                  // The last group may reach past the population: what spikes there does not exist.
                  f.if(i32.ltU(local, to), () => {
                    f.push(i32.store(spikes, i32.add(local, toGlobal)));
                    f.advance(spikes, 4);
                    const count = f.let(i32.shl(local, i32.const(2)));
                    const seen = i32.load(count, arrays.work("spikeCount"));
                    f.push(i32.store(count, i32.add(seen, i32.const(1)), arrays.work("spikeCount")));
                    const period = i32.load8U(local, arrays.refractoryPeriod);
                    f.push(i32.store8(local, period, arrays.refractory));
                  });
                },
              );
            });
            f.advance(at, 16);
          },
          () => i32.ltU(at, end),
        );
        f.result(i32.shrU(i32.sub(spikes, spikesStart), i32.const(2)));
      },
    );
  }
}

/** The code of one group of four neurons. */
class GroupStep {
  readonly #f: FunctionBuilder;
  readonly #program: NeuronProgram;
  readonly #options: NeuronKernelOptions;
  readonly #arrays: NeuronArrays;
  readonly #at: Local<"i32">;
  readonly #splats: Map<string, Vector>;
  readonly #stimulated: boolean;
  readonly #relaxed: boolean;

  constructor(
    f: FunctionBuilder,
    program: NeuronProgram,
    options: NeuronKernelOptions,
    arrays: NeuronArrays,
    at: Local<"i32">,
    splats: Map<string, Vector>,
    stimulated: boolean,
    relaxed: boolean,
  ) {
    this.#f = f;
    this.#program = program;
    this.#options = options;
    this.#arrays = arrays;
    this.#at = at;
    this.#splats = splats;
    this.#stimulated = stimulated;
    this.#relaxed = relaxed;
  }

  /** Emits the step and returns the mask of neurons that spiked. */
  advance(): Vector {
    const f = this.#f;
    const { equations, synaptic, held: unmoved, membrane, margin, reset } = this.#program;
    const inputs = this.#arrivals();
    const states = new Map<string, V128>();
    for (const name of [...equations.synapticStates, ...equations.membraneStates]) {
      states.set(name, f.let(v128.load(this.#at, this.#arrays.state(name))));
    }
    const currents = this.#emit(synaptic, states, inputs);
    equations.synapticStates.forEach((name, i) => {
      f.push(v128.store(this.#at, currents[i], this.#arrays.state(name)));
      inputs.set(`new ${name}`, currents[i]);
    });
    const kept = this.#emit(unmoved, states, inputs);
    const stepped = this.#emit(membrane, states, inputs);
    const free = this.#freeMask();
    const after = new Map<string, V128>();
    const held = this.#options.membrane.refractory === "hold";
    equations.membraneStates.forEach((name, i) => {
      after.set(name, held ? f.let(v128.bitselect(stepped[i], kept[i], free)) : stepped[i]);
    });
    const [marginValue] = this.#emit([margin], after, inputs);
    const spiked = f.let(v128.and(f32x4.gt(marginValue, v128.zero), free));
    const afterSpike = this.#emit(reset, after, inputs);
    equations.membraneStates.forEach((name, i) => {
      const value = v128.bitselect(afterSpike[i], after.get(name)!, spiked);
      f.push(v128.store(this.#at, value, this.#arrays.state(name)));
    });
    return spiked;
  }

  #emit(outputs: readonly Expression[], states: Map<string, V128>, inputs: Map<string, V128>): Vector[] {
    return emitVector(
      this.#f,
      outputs,
      (node) => {
        if (node.op === "state") return states.get(node.name)!;
        return inputs.get(node.name) ?? this.#constant(node.name);
      },
      { relaxed: this.#relaxed },
    );
  }

  #constant(name: string): V128 {
    const address = this.#arrays.perNeuron(name);
    return address === null ? this.#splats.get(name)! : v128.load(this.#at, address);
  }

  /** What arrived since the previous step, as floats; the sums are set back to 0. */
  #arrivals(): Map<string, V128> {
    const f = this.#f;
    const take = (name: WorkArray): Vector => {
      const value = f.let(v128.load(this.#at, this.#arrays.work(name)));
      f.push(v128.store(this.#at, v128.zero, this.#arrays.work(name)));
      return value;
    };
    const charge = (name: WorkArray) =>
      f.let(f32x4.mul(f32x4.convertI32x4S(take(name)), f32x4.const(1 / fixedPointOne)));
    const inputs = new Map<string, V128>();
    if (this.#options.static !== "none") {
      if (this.#options.arrivals === "counts") {
        const counts = take("counts");
        const low = i32x4.const(0xffff, 0xffff, 0xffff, 0xffff);
        inputs.set("arrivedExc", f.let(f32x4.convertI32x4S(v128.and(counts, low))));
        inputs.set("arrivedInh", f.let(f32x4.convertI32x4S(i32x4.shrU(counts, i32.const(16)))));
      } else {
        inputs.set("arrivedExc", charge("arrivedExc"));
        inputs.set("arrivedInh", charge("arrivedInh"));
      }
    }
    if (this.#options.plastic) inputs.set("arrivedPlastic", charge("arrivedPlastic"));
    if (this.#options.noise !== "none") inputs.set("noise", f.let(v128.load(this.#at, this.#arrays.work("noise"))));
    const drive = this.#constant("drive");
    const stimulus = v128.load(this.#at, this.#arrays.work("stimulus"));
    inputs.set("drive", this.#stimulated ? f.let(f32x4.add(drive, stimulus)) : drive);
    return inputs;
  }

  /** Ones where the neuron is not refractory; counts the others down. */
  #freeMask(): Vector {
    const f = this.#f;
    const free = f.let(i32x4.const(-1, -1, -1, -1));
    const byte: I32 = f.let(i32.shrU(this.#at, i32.const(2)));
    f.if(i32.load(byte, this.#arrays.refractory), () => {
      const bytes = v128.load32Zero(byte, this.#arrays.refractory);
      f.set(free, i32x4.eq(i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(bytes)), v128.zero));
      for (let lane = 0; lane < 4; lane++) {
        const left = f.let(i32.load8U(byte, this.#arrays.refractory + lane));
        f.if(left, () => f.push(i32.store8(byte, i32.sub(left, i32.const(1)), this.#arrays.refractory + lane)));
      }
    });
    return free;
  }
}

/**
 * Adds, for the local neurons `from` to `to`:
 * - `recordCurrents(from, to)`: adds the sum of the synaptic currents to the array `currentSum`;
 * - `stepStimulus(from, to, decay, amplitude)`: stimulus <- stimulus * decay + noise * amplitude;
 * - `flushCurrents(from, to)`: sets synaptic currents that have decayed to nothing to 0. WebAssembly cannot flush
 *   subnormal numbers, and arithmetic on them is a hundred times slower.
 */
export function addRecordingKernels(module: ModuleBuilder, synaptic: readonly string[], arrays: NeuronArrays): void {
  const forGroups = (f: FunctionBuilder, from: I32, to: I32, body: (at: Local<"i32">) => void) => {
    const at = f.let(i32.shl(from, i32.const(2)));
    const end = f.let(i32.shl(to, i32.const(2)));
    f.repeat(
      () => {
        body(at);
        f.advance(at, 16);
      },
      () => i32.ltU(at, end),
    );
  };
  module.function("recordCurrents", { from: "i32", to: "i32" }, (f, { from, to }) => {
    forGroups(f, from, to, (at) => {
      const sum = synaptic.reduce(
        (total: V128, name) => f32x4.add(total, v128.load(at, arrays.state(name))),
        v128.load(at, arrays.work("currentSum")),
      );
      f.push(v128.store(at, sum, arrays.work("currentSum")));
    });
  });
  module.function(
    "stepStimulus",
    { from: "i32", to: "i32", decay: "f32", amplitude: "f32" },
    (f, { from, to, decay, amplitude }) => {
      const [keep, add] = [f.let(f32x4.splat(decay)), f.let(f32x4.splat(amplitude))];
      forGroups(f, from, to, (at) => {
        const kept = f32x4.mul(v128.load(at, arrays.work("stimulus")), keep);
        const fresh = f32x4.mul(v128.load(at, arrays.work("noise")), add);
        f.push(v128.store(at, f32x4.add(kept, fresh), arrays.work("stimulus")));
      });
    },
  );
  module.function("flushCurrents", { from: "i32", to: "i32" }, (f, { from, to }) => {
    forGroups(f, from, to, (at) => {
      for (const name of synaptic) {
        const value = f.let(v128.load(at, arrays.state(name)));
        const kept = v128.and(value, f32x4.gt(f32x4.abs(value), f32x4.const(1e-20)));
        f.push(v128.store(at, kept, arrays.state(name)));
      }
    });
  });
}
