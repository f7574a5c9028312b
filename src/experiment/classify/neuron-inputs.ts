/**
 * Which input of a neuron a connection leads into. Of a model with two, the first is that of excitatory sources and the
 * second that of inhibitory ones, each with the synapses of its own: a connection with sources of both signs is two.
 */
import { exitCode, UserError } from "../../base/errors.ts";
import { isShared, isSparse, type ProjectionSpec, type SparseRows } from "../../learning/gradient/spec.ts";
import type { Model } from "../../model/define.ts";
import type { SpikingLayer } from "./schema.ts";
import type { View } from "./views.ts";

function refuse(message: string): never {
  throw new UserError(message, exitCode.usage);
}

/** @throws UserError for a layer whose neurons have inputs that nothing can lead into */
export function checkInputs({ inputs }: Model, { model, constraint }: SpikingLayer, path: string): void {
  if (inputs.length === 1) return;
  const which = `${path}.model.type is "${model.type}", whose neurons have the inputs ${inputs.join(", ")}`;
  if (inputs.length > 2) {
    refuse(`${which}; layers have one input, or one for excitation and one for inhibition: use the library for more`);
  }
  if (constraint?.type !== "dale") {
    refuse(
      `${which}: excitatory sources lead into the first and inhibitory ones into the second, so every source needs a ` +
        `sign; set ${path}.constraint to {"type": "dale"}, and excitatoryFraction of the layers that it hears`,
    );
  }
}

/** @throws UserError for a readout with several inputs */
export function checkReadoutInputs({ inputs }: Model, type: string): void {
  if (inputs.length === 1) return;
  refuse(
    `network.readout.model.type is "${type}", which has the inputs ${inputs.join(", ")}; a readout has one: use LI or CuBaLI`,
  );
}

/** What leads into one input. */
export interface ConnectionPart {
  /** Added to the name of the connection. */
  readonly suffix: string;
  readonly ends: Pick<ProjectionSpec, "into" | "sources">;
  readonly connectivity: ProjectionSpec["connectivity"];
  /** Of its sources, or rows of shared weights; null without Dale's law. */
  readonly signs: Int8Array | null;
}

/**
 * @param inputs of the model of the target
 * @param signs of the sources of `connectivity`, or of its rows of shared weights; null for a model with one input
 */
export function partsByInput(
  inputs: readonly string[],
  view: View,
  connectivity: ProjectionSpec["connectivity"],
  signs: Int8Array | null,
  path: string,
): ConnectionPart[] {
  if (inputs.length === 1 || signs === null) return [{ suffix: "", ends: {}, connectivity, signs }];
  const [excitation, inhibition] = inputs;
  const inhibitory = signs.indexOf(-1);
  if (inhibitory < 0) return [{ suffix: "", ends: { into: excitation }, connectivity, signs }];
  if (!signs.includes(1)) return [{ suffix: "", ends: { into: inhibition }, connectivity, signs }];
  // Of a dense layer the first neurons excite; where there are places, filters of both signs alternate.
  if (isShared(connectivity) || signs.includes(1, inhibitory)) {
    refuse(
      `${path} has neurons with the inputs ${excitation} and ${inhibition}, but "${view.name}" below it has filters that ` +
        "excite and filters that inhibit at every place; give its excitatoryFraction 1 or 0, or use dense layers",
    );
  }
  const part = (into: string, from: number, to: number): ConnectionPart => ({
    suffix: `.${into}`,
    ends: { into, sources: { from, to } },
    connectivity: isSparse(connectivity) ? rowsOf(connectivity, from, to) : connectivity,
    signs: signs.slice(from, to),
  });
  return [part(excitation, 0, inhibitory), part(inhibition, inhibitory, signs.length)];
}

/** Rows `from` to `to` - 1. */
function rowsOf({ offsets, targets }: SparseRows, from: number, to: number): SparseRows {
  const first = offsets[from];
  return {
    offsets: offsets.slice(from, to + 1).map((offset) => offset - first),
    targets: targets.slice(first, offsets[to]),
  };
}
