/**
 * Surrogate derivatives h(x) of the spike: what stands in for the derivative of the step function at x = U - threshold.
 * Each says how far it reaches (`support`), so that what lies beyond is skipped exactly.
 */
import { abs, constant, div, exp, mul, select, sub } from "./build.ts";
import type { Expression, Surrogate } from "./node.ts";

const endless = Number.POSITIVE_INFINITY;

function checkPositive(name: string, values: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(values)) {
    if (!(value > 0 && value < endless)) throw new RangeError(`surrogate ${name}: ${key} is ${value}; it must be > 0`);
  }
}

/** scale / (beta |x| + 1)^2 */
function superSpike(x: Expression, beta: number, scale: number): Expression {
  const width = abs(x).times(beta).plus(1);
  return div(scale, width.times(width));
}

/** exp(-(x - mean)^2 / 2 sd^2) / (sd sqrt(2 pi)) */
function normalDensity(x: Expression, mean: number, sd: number): Expression {
  const z = x.minus(mean).over(sd);
  return exp(z.times(z).times(-0.5)).times(1 / (sd * Math.sqrt(2 * Math.PI)));
}

/** Parameters are checked when the surrogate is made: all must be > 0. */
export const surrogates = {
  /** 1/(beta|x| + 1)^2. Zenke & Ganguli, Neural Computation 30 (2018): SuperSpike. Default beta 100. */
  fastSigmoid: (beta = 100): Surrogate => {
    checkPositive("fastSigmoid", { beta });
    return { name: `fastSigmoid(${beta})`, support: endless, derivative: (x) => superSpike(x, beta, 1) };
  },
  /** beta/(beta|x| + 1)^2: the area under it does not depend on beta. Default beta 100. */
  asymptoticSuperSpike: (beta = 100): Surrogate => {
    checkPositive("asymptoticSuperSpike", { beta });
    return { name: `asymptoticSuperSpike(${beta})`, support: endless, derivative: (x) => superSpike(x, beta, beta) };
  },
  /** (beta + 1)^2/(beta|x| + 1)^2: 1 at rest, x = -1. Default beta 100. */
  rescaledSuperSpike: (beta = 100): Surrogate => {
    checkPositive("rescaledSuperSpike", { beta });
    const scale = (beta + 1) * (beta + 1);
    return { name: `rescaledSuperSpike(${beta})`, support: endless, derivative: (x) => superSpike(x, beta, scale) };
  },
  /** SuperSpike where |x| < width, else exactly 0. Perez-Nieves & Goodman, NeurIPS 2021. Defaults beta 100, width 0.2. */
  sparseFastSigmoid: (beta = 100, width = 0.2): Surrogate => {
    checkPositive("sparseFastSigmoid", { beta, width });
    return {
      name: `sparseFastSigmoid(${beta}, ${width})`,
      support: width,
      derivative: (x) => select(abs(x).lt(width), superSpike(x, beta, 1), 0),
    };
  },
  /** height * max(0, 1 - |x|/width). Esser et al., PNAS 113 (2016); Bellec et al. 2020 use height 0.3, width 1 (default). */
  triangle: (height = 0.3, width = 1): Surrogate => {
    checkPositive("triangle", { height, width });
    return {
      name: `triangle(${height}, ${width})`,
      support: width,
      derivative: (x) => {
        const rest = sub(1, abs(x).over(width));
        return select(rest.gt(0), rest.times(height), 0);
      },
    };
  },
  /** beta s (1 - s), s = 1/(1 + exp(-beta x)). Default beta 4. */
  sigmoid: (beta = 4): Surrogate => {
    checkPositive("sigmoid", { beta });
    return {
      name: `sigmoid(${beta})`,
      support: endless,
      // With e = exp(-beta|x|), s(1-s) = e/(1+e)^2: no difference of nearly equal numbers.
      derivative: (x) => {
        const e = exp(abs(x).times(-beta));
        const sum = e.plus(1);
        return mul(beta, e).over(sum.times(sum));
      },
    };
  },
  /** (alpha/2) / (1 + (pi alpha x / 2)^2). Fang et al., ICCV 2021. Default alpha 2. */
  arctan: (alpha = 2): Surrogate => {
    checkPositive("arctan", { alpha });
    return {
      name: `arctan(${alpha})`,
      support: endless,
      derivative: (x) => {
        const scaled = x.times((Math.PI * alpha) / 2);
        return div(alpha / 2, scaled.times(scaled).plus(1));
      },
    };
  },
  /** height where |x| <= width/2, else 0. Default 0.5 and 1. */
  boxcar: (height = 0.5, width = 1): Surrogate => {
    checkPositive("boxcar", { height, width });
    return {
      name: `boxcar(${height}, ${width})`,
      support: width / 2,
      derivative: (x) => select(abs(x).le(width / 2), height, 0),
    };
  },
  /** scale exp(-beta |x|). Shrestha & Orchard, NeurIPS 2018: SLAYER. Defaults 0.4 and 5. */
  slayer: (scale = 0.4, beta = 5): Surrogate => {
    checkPositive("slayer", { scale, beta });
    return {
      name: `slayer(${scale}, ${beta})`,
      support: endless,
      derivative: (x) => exp(abs(x).times(-beta)).times(scale),
    };
  },
  /**
   * gain [(1+q) N(x; 0, sd) - q N(x; sd, 6 sd) - q N(x; -sd, 6 sd)], N a normal density of that mean and standard
   * deviation. Yin, Corradi & Bohte, Nat. Mach. Intell. 3 (2021). Defaults sd 0.5, q 0.15, gain 0.5.
   */
  multiGaussian: (sd = 0.5, q = 0.15, gain = 0.5): Surrogate => {
    checkPositive("multiGaussian", { sd, q, gain });
    return {
      name: `multiGaussian(${sd}, ${q}, ${gain})`,
      support: endless,
      derivative: (x) => {
        const centre = normalDensity(x, 0, sd).times(1 + q);
        const lobes = normalDensity(x, sd, 6 * sd).plus(normalDensity(x, -sd, 6 * sd));
        return centre.minus(lobes.times(q)).times(gain);
      },
    };
  },
  /** 0 everywhere: nothing is learned through spikes. For readouts without them. */
  none: (): Surrogate => ({ name: "none", support: 0, derivative: () => constant(0) }),
} as const;
