/**
 * The WebAssembly module of one network: the time loops of `reference.ts` around the kernels, everything that is known
 * before training (sizes, addresses, delays, paths) written into the code.
 */
import { addStep, addStepBack, type PopulationArrays } from "../../kernels/adjoint/wasm.ts";
import { addRateCosts } from "../../kernels/rate-cost/wasm.ts";
import { addSend, multiplyAdjoint } from "../../kernels/rows/dropout.ts";
import { addAccumulate, addDots, addScatter, padded, type RowKernelOptions } from "../../kernels/rows/wasm.ts";
import { tapeNumberBytes } from "../../kernels/tape.ts";
import type { AdjointProgram } from "../../model/adjoint.ts";
import {
  callValue,
  type FunctionBuilder,
  f32x4,
  type I32,
  i32,
  type Local,
  ModuleBuilder,
  memory,
  v128,
} from "../../wasm/assembler.ts";
import type { MemoryLayout, ValueLayout } from "./layout.ts";
import {
  type GradientNetwork,
  inputOf,
  type ProjectionSpec,
  type SourceRange,
  sourceRange,
  sourceSize,
} from "./spec.ts";

export interface ModuleOptions {
  readonly relaxed: boolean;
  /** Adjoints are not carried over multiples of this many steps; 0: never cut. */
  readonly truncateSteps: number;
  readonly costsOverTime: boolean;
  /** Whether anything is learned; without, there is no way back. */
  readonly backward: boolean;
}

/** What the module exports. Steps are of the sample; `tapeFrom` is the step whose row is the first of the tape. */
export interface GradientKernels {
  /** Steps from .. to-1 of a sample. `valued`: 1 where input events have amplitudes. */
  readonly forward: (from: number, to: number, tapeFrom: number, valued: number) => void;
  /** Back from step to-1 to from. `steps`: length of the sample. */
  readonly backward: (from: number, to: number, tapeFrom: number, valued: number, steps: number) => void;
  /** Adds one block as large as the gradients to another; addresses in bytes. */
  readonly addBlock: (to: number, from: number) => void;
}

type Step = Local<"i32">;

export function gradientModule(
  network: GradientNetwork,
  programs: readonly AdjointProgram[],
  values: ValueLayout,
  at: MemoryLayout,
  options: ModuleOptions,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const rowBytes = network.populations.map(({ size }) => 4 * padded(size));
  const tapeRowBytes = network.populations.map(({ size }) => tapeNumberBytes[at.tape] * padded(size));
  const outputRow = rowBytes[network.readout];
  const inputCounts = network.populations.map(({ model }) => model.model.inputs.length);
  /** Where among the rows of its target's inputs a projection leads, in bytes. */
  const rowOfInput = (projection: ProjectionSpec): number => inputOf(network, projection) * rowBytes[projection.target];
  const arraysOf = (p: number): PopulationArrays => {
    const addresses = at.populations[p];
    return {
      state: (name) => addresses.states[name],
      adjoint: (name) => addresses.adjoints[name],
      constant: (name) => addresses.constants[name],
      constantGradient: (name) => at.gradients + 4 * values.constants[p][name].offset,
      inputs: addresses.inputs,
      spikeAdjoint: addresses.spikeAdjoint,
      refractory: addresses.refractory,
      tape: {
        format: at.tape,
        margin: addresses.margin,
        input: (name) => addresses.tapedInputs[name],
        before: (name) => addresses.before[name],
        after: (name) => addresses.after[name],
      },
    };
  };
  const populations = network.populations.map(({ name, size }, p) => {
    const kernel = {
      program: programs[p],
      size,
      arrays: arraysOf(p),
      readout: p === network.readout,
      relaxed: options.relaxed,
    };
    return {
      step: addStep(module, `step ${name}`, kernel),
      send: sendOf(p),
      stepBack: options.backward ? addStepBack(module, `step back ${name}`, kernel) : null,
    };
  });
  /** Of a population with dropout: makes the list of what is sent. */
  function sendOf(p: number) {
    const { sent } = at.populations[p];
    return sent && addSend(module, `send ${network.populations[p].name}`, sent.factors, sent.values - sent.spikes);
  }
  const projections = network.projections.map((projection, k) => {
    const { source, gain } = projection;
    const shape = (valued: boolean): RowKernelOptions => ({
      sources: sourceSize(network, projection),
      targets: network.populations[projection.target].size,
      firstSource: sourceRange(network, projection).from,
      sparse: at.sparse[k],
      shared: at.shared[k],
      gain,
      valued,
      relaxed: options.relaxed,
    });
    const variants = source === "input" ? [false, true] : [at.populations[source].sent !== null];
    const named = (what: string, valued: boolean) => `${what} ${projection.name}${valued ? " with values" : ""}`;
    const needsDots = options.backward && projection.backward !== "none" && source !== "input";
    return {
      accumulate: variants.map((valued) => addAccumulate(module, named("accumulate", valued), shape(valued))),
      scatter:
        options.backward && projection.trained
          ? variants.map((valued) => addScatter(module, named("scatter", valued), shape(valued)))
          : [],
      dots: needsDots ? addDots(module, named("dots", false), shape(false), supportOf(projection), at.tape) : null,
    };
  });

  function supportOf({ source }: ProjectionSpec): number {
    if (source === "input") return Number.POSITIVE_INFINITY;
    // Margins are kept only where the way back reads them.
    return at.populations[source].margin === null
      ? Number.POSITIVE_INFINITY
      : network.populations[source].surrogate.support;
  }

  /** Calls a row kernel on the spikes of a projection's source that arrive at step t, if there can be any. */
  function withArrivals(
    f: FunctionBuilder,
    k: number,
    t: Step,
    valued: Local<"i32">,
    call: (variant: number, list: Local<"i32">, end: I32, amplitudes: I32) => void,
  ): void {
    const { source, sources, delaySteps } = network.projections[k];
    if (source === "input") {
      const entry = f.let(i32.shl(i32.sub(t, i32.const(delaySteps)), i32.const(2)));
      const body = () => {
        const list = f.let(i32.load(entry, at.eventStarts));
        const end = i32.load(entry, at.eventStarts + 4);
        const amplitudes = i32.add(list, i32.const(at.eventValues - at.channels));
        f.if(
          valued,
          () => call(1, list, end, amplitudes),
          () => call(0, list, end, amplitudes),
        );
      };
      if (delaySteps === 0) body();
      else f.if(i32.geU(t, i32.const(delaySteps)), body);
      return;
    }
    const { sent, spikeStarts } = at.populations[source];
    const starts = sent?.spikeStarts ?? spikeStarts;
    const body = () => {
      const entry = f.let(i32.shl(i32.sub(t, i32.const(delaySteps)), i32.const(2)));
      const list = f.let(i32.load(entry, starts));
      const end = f.let(i32.load(entry, starts + 4));
      if (sources !== undefined) cutToRange(f, list, end, sources);
      const amplitudes = sent === null ? list : i32.add(list, i32.const(sent.values - sent.spikes));
      call(0, list, end, amplitudes);
    };
    if (delaySteps === 0) body();
    else f.if(i32.geU(t, i32.const(delaySteps)), body);
  }

  module.function(
    "forward",
    { from: "i32", to: "i32", tapeFrom: "i32", valued: "i32" },
    (f, { from, to, tapeFrom, valued }) => {
      const t = f.let(from);
      f.while(
        () => i32.ltU(t, to),
        () => {
          for (const [p, { step, send }] of populations.entries()) {
            const addresses = at.populations[p];
            const bias = values.bias[p];
            const bytes = i32.const(rowBytes[p]);
            const first = i32.const(addresses.inputs);
            const others = rowBytes[p] * (inputCounts[p] - 1);
            f.push(
              bias === null
                ? memory.fill(first, i32.const(0), i32.const(rowBytes[p] + others))
                : memory.copy(first, i32.const(at.values + 4 * bias.offset), bytes),
            );
            if (bias !== null && others > 0) {
              f.push(memory.fill(i32.const(addresses.inputs + rowBytes[p]), i32.const(0), i32.const(others)));
            }
            for (const [k, projection] of network.projections.entries()) {
              if (projection.target !== p) continue;
              withArrivals(f, k, t, valued, (variant, list, end, amplitudes) => {
                f.call(projections[k].accumulate[variant], {
                  list,
                  end,
                  values: amplitudes,
                  matrix: i32.const(at.values + 4 * values.weights[k].offset),
                  row: i32.const(addresses.inputs + rowOfInput(projection)),
                });
              });
            }
            const row = tapeRow(p, t, tapeFrom);
            if (p === network.readout) {
              const output = i32.add(i32.const(at.outputs), i32.mul(t, i32.const(outputRow)));
              f.let(callValue(step, { row, spikes: i32.const(0), output }));
            } else {
              const { sent, spikeStarts } = addresses;
              const entry = f.let(i32.shl(t, i32.const(2)));
              const spikes = f.let(i32.load(entry, spikeStarts));
              const end = f.let(callValue(step, { row, spikes, output: i32.const(0) }));
              f.push(i32.store(entry, end, spikeStarts + 4));
              if (sent !== null && send !== null) {
                const to = i32.load(entry, sent.spikeStarts);
                f.push(i32.store(entry, callValue(send, { from: spikes, end, to }), sent.spikeStarts + 4));
              }
            }
          }
          f.set(t, i32.add(t, i32.const(1)));
        },
      );
    },
  );

  if (options.costsOverTime) {
    for (const [p, { size }] of network.populations.entries()) {
      if (p === network.readout) continue;
      const { inputs, spikeAdjoint, cost, spikeStarts } = at.populations[p];
      // Between the passes these two rows are free.
      const arrays = { filtered: inputs, constant: spikeAdjoint, costs: cost, spikeStarts };
      addRateCosts(module, `rateCosts${p}`, size, arrays);
    }
  }

  module.function("addBlock", { to: "i32", from: "i32" }, (f, { to, from }) => {
    const end = f.let(i32.add(to, i32.const(4 * values.length)));
    f.while(
      () => i32.ltU(to, end),
      () => {
        f.push(v128.store(to, f32x4.add(v128.load(to), v128.load(from))));
        f.advance(to, 16);
        f.advance(from, 16);
      },
    );
  });

  if (options.backward) {
    module.function(
      "backward",
      { from: "i32", to: "i32", tapeFrom: "i32", valued: "i32", steps: "i32" },
      (f, { from, to, tapeFrom, valued, steps }) => {
        const t = f.let(to);
        f.while(
          () => i32.ltU(from, t),
          () => {
            if (options.truncateSteps > 0) {
              const rest = f.let(i32.remU(t, i32.const(options.truncateSteps)));
              f.if(i32.eqz(rest), () => {
                for (const { adjointBlock } of at.populations) {
                  f.push(memory.fill(i32.const(adjointBlock.from), i32.const(0), i32.const(adjointBlock.bytes)));
                }
              });
            }
            f.set(t, i32.sub(t, i32.const(1)));
            for (let p = populations.length - 1; p >= 0; p--) stepPopulationBack(f, p, t, tapeFrom, valued, steps);
          },
        );
      },
    );
  }

  /** Where the row of step t lies in the tapes of population p, in bytes. */
  function tapeRow(p: number, t: Step, tapeFrom: Step): I32 {
    return i32.mul(i32.sub(t, tapeFrom), i32.const(tapeRowBytes[p]));
  }

  /** Address of the adjoints of the inputs of step t in the ring of population p. */
  function ringRow(p: number, t: I32): I32 {
    const { ring, ringSteps } = at.populations[p];
    const bytes = i32.const(inputCounts[p] * rowBytes[p]);
    return i32.add(i32.const(ring), i32.mul(i32.and(t, i32.const(ringSteps - 1)), bytes));
  }

  /** Address of the note whether the rows of step t have anything in them. */
  function ringFilled(p: number, t: I32): I32 {
    const { ringFilled: notes, ringSteps } = at.populations[p];
    return i32.add(i32.const(notes), i32.shl(i32.and(t, i32.const(ringSteps - 1)), i32.const(2)));
  }

  function stepPopulationBack(
    f: FunctionBuilder,
    p: number,
    t: Step,
    tapeFrom: Local<"i32">,
    valued: Local<"i32">,
    steps: Local<"i32">,
  ): void {
    const addresses = at.populations[p];
    const bytes = i32.const(rowBytes[p]);
    const row = f.let(tapeRow(p, t, tapeFrom));
    if (p !== network.readout && programs[p].feelsSpike) {
      const cost = options.costsOverTime
        ? i32.add(i32.const(addresses.cost), i32.mul(t, bytes))
        : i32.const(addresses.cost);
      const { sent, spikeAdjoint } = addresses;
      f.push(
        sent === null
          ? memory.copy(i32.const(spikeAdjoint), cost, bytes)
          : memory.fill(i32.const(spikeAdjoint), i32.const(0), bytes),
      );
      for (const [k, projection] of network.projections.entries()) {
        const { dots } = projections[k];
        if (projection.source !== p || dots === null) continue;
        const { delaySteps, target } = projection;
        const first = sourceRange(network, projection).from;
        const arrival = f.let(i32.add(t, i32.const(delaySteps)));
        const filled = i32.load(ringFilled(target, arrival));
        const within = i32.ltU(arrival, steps);
        // Truncated: only inside one window, the adjoint does not cross its end.
        const window = i32.const(options.truncateSteps);
        const inside =
          options.truncateSteps > 0 && delaySteps > 0
            ? i32.and(within, i32.ltU(i32.add(i32.remU(t, window), i32.const(delaySteps)), window))
            : within;
        // Before the last step that the loss looks at there is much, after it nothing: skipped exactly.
        f.if(i32.and(inside, filled), () => {
          f.call(dots, {
            matrix: i32.const(at.feedback[k] ?? at.values + 4 * values.weights[k].offset),
            row: plusBytes(ringRow(target, arrival), rowOfInput(projection)),
            out: i32.const(spikeAdjoint + 4 * first),
            margins: i32.add(i32.const((addresses.margin ?? 0) + tapeNumberBytes[at.tape] * first), row),
          });
        });
      }
      if (sent !== null) multiplyAdjoint(f, spikeAdjoint, sent.factors, cost, rowBytes[p]);
    }
    const adjoint = f.let(ringRow(p, t));
    const { stepBack } = populations[p];
    if (stepBack === null) return;
    const outputAdjoint = i32.add(i32.const(at.outputAdjoints), i32.mul(t, i32.const(outputRow)));
    const filled = f.let(callValue(stepBack, { row, inputAdjoints: adjoint, outputAdjoint }));
    f.push(i32.store(ringFilled(p, t), filled));
    f.if(filled, () => addGradients(f, p, t, adjoint, valued));
  }

  function addGradients(f: FunctionBuilder, p: number, t: Step, adjoint: Local<"i32">, valued: Local<"i32">): void {
    const bias = values.bias[p];
    if (bias !== null) addRow(f, at.gradients + 4 * bias.offset, adjoint, rowBytes[p]);
    for (const [k, projection] of network.projections.entries()) {
      if (projection.target !== p || !projection.trained) continue;
      withArrivals(f, k, t, valued, (variant, list, end, amplitudes) => {
        f.call(projections[k].scatter[variant], {
          list,
          end,
          values: amplitudes,
          matrix: i32.const(at.gradients + 4 * values.weights[k].offset),
          row: plusBytes(adjoint, rowOfInput(projection)),
        });
      });
    }
  }

  return module.toBytes();
}

const plusBytes = (address: I32, bytes: number): I32 => (bytes === 0 ? address : i32.add(address, i32.const(bytes)));

/** Narrows an ascending list of neurons to those of a range. What lies before or behind the list may be read. */
function cutToRange(f: FunctionBuilder, list: Local<"i32">, end: Local<"i32">, { from, to }: SourceRange): void {
  const some = () => i32.ltU(list, end);
  f.while(
    () => i32.and(some(), i32.ltU(i32.load(list), i32.const(from))),
    () => f.advance(list, 4),
  );
  f.while(
    () => i32.and(some(), i32.geU(i32.load(i32.sub(end, i32.const(4))), i32.const(to))),
    () => f.advance(end, -4),
  );
}

/** to[:] += from[:] */
function addRow(f: FunctionBuilder, to: number, from: Local<"i32">, bytes: number): void {
  const offset = f.let(i32.const(0));
  f.repeat(
    () => {
      const sum = f32x4.add(v128.load(offset, to), v128.load(i32.add(from, offset)));
      f.push(v128.store(offset, sum, to));
      f.advance(offset, 16);
    },
    () => i32.ltU(offset, i32.const(bytes)),
  );
}
