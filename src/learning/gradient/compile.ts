/** From the words of a training to the network that the engine runs. */
import { UserError } from "../../base/errors.ts";
import { surrogates } from "../../expression/surrogates.ts";
import { readoutModels } from "../../model/built-in.ts";
import type { Model } from "../../model/define.ts";
import { loadModel } from "../../model/load.ts";
import { builtInModel, isModuleAddress, resolveModel } from "../../model/resolve.ts";
import type { GradientNetwork, PopulationSpec } from "./spec.ts";
import { makeSurrogate } from "./surrogate.ts";
import type { TrainingSpec } from "./training-spec.ts";

/** A neuron model or a readout by name or address. */
export async function findModel(type: string): Promise<Model> {
  if (isModuleAddress(type)) return loadModel(type);
  return Object.hasOwn(readoutModels, type) ? readoutModels[type] : builtInModel(type);
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
      return {
        name: choice.name,
        size: choice.size,
        model,
        surrogate: p === spec.readout ? surrogates.none() : makeSurrogate(choice.surrogate ?? { type: "fastSigmoid" }),
        detachReset: choice.detachReset,
        trainable: choice.trainable,
        bias: choice.bias,
      };
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
  return { dtMs, inputs, populations, projections, readout };
}
