/** From the words of a training to the network that the engine runs. */
import { didYouMean, UserError } from "../../base/errors.ts";
import { surrogates } from "../../expression/surrogates.ts";
import { poolingModels, readoutModels } from "../../model/built-in.ts";
import type { Model } from "../../model/define.ts";
import { loadModel } from "../../model/load.ts";
import { builtInModel, isModuleAddress, resolveModel } from "../../model/resolve.ts";
import { type GradientNetwork, isShared, type PopulationSpec, type ProjectionSpec, sourceSize } from "./spec.ts";
import { makeSurrogate } from "./surrogate.ts";
import type { TrainingSpec } from "./training-spec.ts";

/** A neuron model, a readout or a pooling neuron by name or address. */
export async function findModel(type: string): Promise<Model> {
  if (isModuleAddress(type)) return loadModel(type);
  for (const models of [readoutModels, poolingModels]) if (Object.hasOwn(models, type)) return models[type];
  return builtInModel(type);
}

/** @throws UserError for unknown models and parameters, values out of range, projections that cannot be. */
export async function compileNetwork(spec: TrainingSpec): Promise<GradientNetwork> {
  const populations = await Promise.all(
    spec.populations.map(async (choice, p): Promise<PopulationSpec> => {
      const model = resolveModel(choice.model, choice.size, await findModel(choice.model.type));
      for (const name of choice.trainable) {
        if (!Object.hasOwn(model.parameters, name)) {
          const known = Object.keys(model.parameters).join(", ");
          throw new UserError(`population "${choice.name}" is to learn "${name}"; its model has ${known}`);
        }
        if (name === "refractoryMs") {
          throw new UserError(
            `population "${choice.name}" is to learn refractoryMs, but it counts whole steps and has no gradient; leave it fixed`,
          );
        }
      }
      const canSpike = !(model.model.margin.op === "constant" && model.model.margin.value <= 0);
      if (p === spec.readout && canSpike) {
        throw new UserError(
          `the readout's model is ${model.model.name}, which spikes; take one that does not: ${Object.keys(readoutModels).join(", ")}`,
        );
      }
      const { name, size, detachReset, trainable, bias, dropout = 0 } = choice;
      if (!(dropout >= 0 && dropout < 1) || (p === spec.readout && dropout > 0)) {
        const why = p === spec.readout ? "the readout sends nothing" : "it must be at least 0 and less than 1";
        throw new UserError(`the dropout of "${name}" is ${dropout}; ${why}`);
      }
      const usual = Object.hasOwn(poolingModels, choice.model.type) ? "straightThrough" : "fastSigmoid";
      const surrogate = p === spec.readout ? surrogates.none() : makeSurrogate(choice.surrogate ?? { type: usual });
      const filters = choice.filters === undefined ? {} : { filters: choice.filters };
      return { name, size, model, surrogate, detachReset, trainable, bias, dropout, ...filters };
    }),
  );
  for (const { name, source, target, delaySteps } of spec.projections) {
    if (source === spec.readout)
      throw new UserError(`projection "${name}" starts at the readout, which does not spike`);
    if (source !== "input" && source >= target && delaySteps < 1) {
      throw new UserError(
        `projection "${name}" goes back to a population that was already computed in the step; give it a delay of 1 step or more`,
      );
    }
  }
  const { dtMs, inputs, projections, readout } = spec;
  const network: GradientNetwork = { dtMs, inputs, populations, projections, readout };
  for (const projection of projections) {
    checkEnds(network, projection);
    checkProjection(network, projection);
  }
  return network;
}

/** Which neurons it starts from, and which input it leads into. */
function checkEnds({ populations }: GradientNetwork, { name, source, sources, target, into }: ProjectionSpec): void {
  const { model } = populations[target].model;
  if (into !== undefined && !model.inputs.includes(into)) {
    throw new UserError(
      `projection "${name}" leads into "${into}", which is no input of the model ${model.name}` +
        (didYouMean(into, model.inputs) || `; it has ${model.inputs.join(", ")}`),
    );
  }
  if (sources === undefined) return;
  if (source === "input") {
    throw new UserError(
      `projection "${name}" starts from a part of the channels; events of a step come in any order, so leave sources ` +
        "out, or give a sparse projection with empty rows",
    );
  }
  const { from, to } = sources;
  const { size } = populations[source];
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= size)) {
    throw new UserError(
      `projection "${name}" starts from neurons ${from} to ${to} (not included) of "${populations[source].name}", which ` +
        `has ${size}; give whole numbers with 0 <= from < to <= ${size}`,
    );
  }
}

function checkProjection(network: GradientNetwork, projection: ProjectionSpec): void {
  const { name, connectivity, gain = 1 } = projection;
  if (!Number.isFinite(gain) || gain === 0) {
    throw new UserError(`the gain of projection "${name}" is ${gain}; it must be a number other than 0`);
  }
  if (!isShared(connectivity)) return;
  const { width, rows, offsets, weightRows, firstTargets } = connectivity;
  const sources = sourceSize(network, projection);
  const { size } = network.populations[projection.target];
  const refuse = (what: string): never => {
    throw new UserError(`the shared weights of projection "${name}" do not fit: ${what}`);
  };
  if (offsets.length !== sources + 1) refuse(`there are ${offsets.length - 1} rows of blocks for ${sources} sources`);
  const blocks = offsets[sources];
  if (offsets[0] !== 0 || offsets.some((offset, i) => i > 0 && offset < offsets[i - 1])) {
    refuse("the places where the blocks of each source begin do not ascend from 0");
  }
  if (weightRows.length !== blocks || firstTargets.length !== blocks) refuse(`there are not ${blocks} blocks`);
  if (weightRows.some((row) => row >= rows)) refuse(`a block has a row of weights beyond the ${rows} that there are`);
  if (firstTargets.some((first) => first + width > size)) refuse(`a block reaches beyond the ${size} targets`);
}
