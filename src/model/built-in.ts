/** The models that a name alone selects. */
import { ALIF, adLIF } from "./adaptive.ts";
import {
  NorseLIF,
  PerezNievesLIF,
  SnnTorchSynaptic,
  SpyTorchLIF,
  StorkExcInhLIF,
  StorkLIF,
  StorkSubtractLIF,
} from "./current-based.ts";
import type { Model } from "./define.ts";
import { BellecALIF, BellecLIF, GennALIF, GennLIF } from "./eprop.ts";
import { GLIF1, GLIF2, GLIF3, GLIF4, GLIF5 } from "./glif.ts";
import { CuBaLIF, LIF } from "./lif.ts";
import { Or } from "./pooling.ts";
import { CuBaLI, LI } from "./readout.ts";

export const builtInModels: Readonly<Record<string, Model>> = {
  LIF,
  CuBaLIF,
  GLIF1,
  GLIF2,
  GLIF3,
  GLIF4,
  GLIF5,
  ALIF,
  adLIF,
  BellecLIF,
  BellecALIF,
  GennLIF,
  GennALIF,
  StorkLIF,
  StorkSubtractLIF,
  StorkExcInhLIF,
  SpyTorchLIF,
  PerezNievesLIF,
  SnnTorchSynaptic,
  NorseLIF,
};

/** Readouts of classifiers: they never spike, the first state is the output. */
export const readoutModels: Readonly<Record<string, Model>> = { LI, CuBaLI };

/** Neurons without memory, for layers that pool the spikes of others in networks that learn by gradients. */
export const poolingModels: Readonly<Record<string, Model>> = { Or };
