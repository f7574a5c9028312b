/** The models that a name alone selects. */
import { ALIF, adLIF } from "./adaptive.ts";
import type { Model } from "./define.ts";
import { GLIF1, GLIF2, GLIF3, GLIF4, GLIF5 } from "./glif.ts";
import { CuBaLIF, LIF } from "./lif.ts";

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
};
