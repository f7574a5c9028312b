/** Surrogate derivatives as words of an experiment. Formulas and sources: `expression/surrogates.ts`. */
import type { Surrogate } from "../../expression/node.ts";
import { surrogates } from "../../expression/surrogates.ts";
import { straightThrough } from "../../model/pooling.ts";
import { complete, type Kinds } from "../losses/description.ts";

export type SurrogateDescription =
  /** Default beta 100. */
  | { readonly type: "fastSigmoid"; readonly beta?: number }
  | { readonly type: "asymptoticSuperSpike"; readonly beta?: number }
  | { readonly type: "rescaledSuperSpike"; readonly beta?: number }
  /**
   * Defaults beta 100, width 0.2: exactly 0 beyond the width. Where no neuron of a layer comes within it in a whole batch,
   * the width doubles until one does.
   */
  | { readonly type: "sparseFastSigmoid"; readonly beta?: number; readonly width?: number }
  /** Defaults height 0.3, width 1. */
  | { readonly type: "triangle"; readonly height?: number; readonly width?: number }
  /** Default beta 4. */
  | { readonly type: "sigmoid"; readonly beta?: number }
  /** Default alpha 2. */
  | { readonly type: "arctan"; readonly alpha?: number }
  /** Defaults height 0.5, width 1. */
  | { readonly type: "boxcar"; readonly height?: number; readonly width?: number }
  /** Defaults scale 0.4, beta 5. */
  | { readonly type: "slayer"; readonly scale?: number; readonly beta?: number }
  /** Defaults sd 0.5, q 0.15, gain 0.5. */
  | { readonly type: "multiGaussian"; readonly sd?: number; readonly q?: number; readonly gain?: number }
  /** 1 everywhere, for pooling. */
  | { readonly type: "straightThrough" };

const positive = (value: number) => ({ default: value, above: 0 });

export const surrogateKinds: Kinds<SurrogateDescription> = {
  fastSigmoid: { beta: positive(100) },
  asymptoticSuperSpike: { beta: positive(100) },
  rescaledSuperSpike: { beta: positive(100) },
  sparseFastSigmoid: { beta: positive(100), width: positive(0.2) },
  triangle: { height: positive(0.3), width: positive(1) },
  sigmoid: { beta: positive(4) },
  arctan: { alpha: positive(2) },
  boxcar: { height: positive(0.5), width: positive(1) },
  slayer: { scale: positive(0.4), beta: positive(5) },
  multiGaussian: { sd: positive(0.5), q: positive(0.15), gain: positive(0.5) },
  straightThrough: {},
};

/** A surrogate whose width is cut to save work, and may turn out too narrow. */
export type CutSurrogate = Extract<SurrogateDescription, { readonly type: "sparseFastSigmoid" }>;

export const isCut = (description: SurrogateDescription): description is CutSurrogate =>
  description.type === "sparseFastSigmoid";

/**
 * The width with which a cut surrogate goes on after a batch: as it is where a neuron came within it, else doubled until
 * one would have. Beyond the width the derivative is 0, so that without this nothing would ever be learned again.
 * @param nearest smallest distance to threshold of any neuron in the batch; Infinity where none was seen
 */
export function widened(width: number, nearest: number): number {
  if (!Number.isFinite(nearest)) return width;
  let wide = width;
  while (wide <= nearest) wide *= 2;
  return wide;
}

/** @throws UserError for settings that are unknown or out of range; `path` is where they stand. */
export function makeSurrogate(description: SurrogateDescription, path = "surrogate"): Surrogate {
  const settings = complete(path, description, surrogateKinds);
  switch (settings.type) {
    case "sparseFastSigmoid":
      return surrogates.sparseFastSigmoid(settings.beta, settings.width);
    case "triangle":
      return surrogates.triangle(settings.height, settings.width);
    case "arctan":
      return surrogates.arctan(settings.alpha);
    case "boxcar":
      return surrogates.boxcar(settings.height, settings.width);
    case "slayer":
      return surrogates.slayer(settings.scale, settings.beta);
    case "multiGaussian":
      return surrogates.multiGaussian(settings.sd, settings.q, settings.gain);
    case "straightThrough":
      return straightThrough;
    default:
      return surrogates[settings.type](settings.beta);
  }
}
