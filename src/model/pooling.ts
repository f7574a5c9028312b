/** Neurons that gather the spikes of one step and remember nothing. */
import { constant } from "../expression/build.ts";
import type { Surrogate } from "../expression/node.ts";
import { defineStateless } from "./define.ts";

/**
 * Max pooling of spikes: spikes in every step in which any neuron of its window does. Inputs come through weights of 1
 * that are not trained, without delay, so that I is the number of spikes in the window.
 */
export const Or = defineStateless({
  name: "Or",
  description: "Spikes when any of its inputs does: max pooling. No memory; connect it with fixed weights of 1.",
  source: "maximum of spikes, which are 0 or 1",
  parameters: {},
  margin: ({ current }) => current.minus(0.5),
});

/**
 * Derivative 1 everywhere: the adjoint of the pooled spike passes unchanged to every neuron of the window, once, however
 * many of them spiked. So it reaches those that spiked, and in a silent window those that might have; how near each was to
 * its threshold its own surrogate says. (Moving one neuron across its threshold changes the maximum where at most that one
 * spikes: there 1 is exact.) PyTorch's max pooling passes it to one neuron of the window, the first of those that spiked,
 * or the first of all where none did; where several spike, the neurons below get more here.
 */
export const straightThrough: Surrogate = {
  name: "straightThrough",
  support: Number.POSITIVE_INFINITY,
  derivative: () => constant(1),
};
