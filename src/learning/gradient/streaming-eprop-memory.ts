/** How much memory e-prop over chunks takes (`streaming-eprop.ts`), before any is taken. */
import { exitCode, UserError } from "../../base/errors.ts";
import { byteCount } from "../../data/formats/limits.ts";
import type { ErrorPath } from "./forward-eprop.ts";
import type { Tangent } from "./forward-eprop-tangent.ts";
import { type GradientNetwork, synapseCount } from "./spec.ts";

/** float64 */
const numberBytes = 8;

/** Bytes of the arrays of `StreamingEprop`, by what they belong to. */
export function streamingBytes(
  network: GradientNetwork,
  tangents: readonly Tangent[],
  paths: readonly ErrorPath[],
  chunkSteps: number,
): { readonly synapses: number; readonly neurons: number } {
  const filter = tangents[network.readout].program.states.length;
  const outputs = network.populations[network.readout].size;
  const components = tangents.map(({ program }, p) => {
    const own = paths.filter(({ source }) => source === p);
    return program.states.length + own.reduce((sum, { delaySteps }) => sum + delaySteps + filter, 0);
  });
  // Per line its gradient, its target (4 bytes), and what it carries.
  const lineBytes = (p: number): number => numberBytes * (1 + components[p]) + 4;
  const synapses = network.projections.reduce((sum, projection) => {
    const perSynapse = projection.trained ? lineBytes(projection.target) : numberBytes;
    return sum + perSynapse * synapseCount(network, projection);
  }, 0);
  const neurons = network.populations.reduce(
    (sum, { size, bias, model }, p) => {
      const { spike, next, program } = tangents[p];
      const taped = [spike, ...next].flat().filter((entry) => entry !== null).length;
      const constants = program.constants.length;
      const ownPaths = paths.filter(({ source }) => source === p).length;
      // Tapes, sweeps of the gradient and of every carried number; spikes and learning signals while a chunk is judged.
      const perStep = taped + (1 + components[p]) * model.model.inputs.length + 1 + ownPaths;
      const perSweep = 1 + constants + components[p];
      const lines = (bias ? 1 : 0) + constants;
      return (
        sum + size * (numberBytes * (chunkSteps * perStep + (1 + components[p]) * perSweep) + lines * lineBytes(p))
      );
    },
    numberBytes * 2 * chunkSteps * outputs,
  );
  return { synapses, neurons };
}

/** @throws UserError with need, have, and what would make it smaller */
export function guardStreaming(bytes: ReturnType<typeof streamingBytes>, chunkSteps: number, available: number): void {
  const { synapses, neurons } = bytes;
  const needed = synapses + neurons;
  if (needed <= available) return;
  const advice =
    synapses > neurons
      ? "fewer or sparse connections and shorter delays to the readout make it smaller"
      : "shorter chunks (chunkSteps) make it smaller";
  throw new UserError(
    `streaming e-prop on this network needs ${byteCount(needed)} of memory (${byteCount(synapses)} at synapses, ` +
      `${byteCount(neurons)} at neurons for chunks of ${chunkSteps} steps), but memoryBytes allows ${byteCount(available)}; ` +
      `${advice}, or raise memoryBytes if the machine has more`,
    exitCode.unavailable,
  );
}
