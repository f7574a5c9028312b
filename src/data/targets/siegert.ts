/**
 * Firing rate of a leaky integrate-and-fire neuron driven by white noise (transfer.ts has the inverse).
 *
 * Between spikes `tauMem dv = (mu - v) dt + sigma sqrt(tauMem) dW`; at `threshold` the voltage returns to `reset`. The
 * stationary rate without refractory time is Siegert's formula (Ricciardi 1977; Amit & Tsodyks 1991)
 *
 *     1/nu = tauMem sqrt(pi) * integral from (reset - mu)/sigma to (threshold - mu)/sigma of exp(x^2) (1 + erf x) dx
 *
 * where the integrand is erfcx(-x). It overflows a few sigma below threshold, so everything is kept as ln nu with the
 * largest exponent taken out.
 *
 * The formula is for continuous time. A simulation looks at the voltage every `dtMs` only and misses crossings in
 * between, as if the threshold were higher by 0.5826 sigma sqrt(dt/tauMem) (0.5826 = -zeta(1/2)/sqrt(2 pi); Broadie,
 * Glasserman & Kou 1997). Without it a network with dt = 0.1 ms fires 10 to 30 % too little.
 */

import { UserError } from "../../base/errors.ts";
import { exp, log } from "../../math/elementary.ts";
import { erfcx } from "./erfcx.ts";

/** The neuron and its noise. Voltages are in units of threshold when `threshold` is 1. */
export interface TransferParams {
  /** Noise amplitude in units of threshold; the free voltage has standard deviation sigma/sqrt(2). Must be > 0. */
  readonly sigma: number;
  /** Membrane time constant in ms. */
  readonly tauMemMs: number;
  /** Spike threshold. Default 1. */
  readonly threshold?: number;
  /** Voltage after a spike. Default 0. */
  readonly reset?: number;
  /** Time step of the simulation in ms; needed for the correction. Default 0.1. */
  readonly dtMs?: number;
  /** Raise the threshold for discrete time, as explained above. Default true. */
  readonly correctThreshold?: boolean;
}

/** -zeta(1/2)/sqrt(2 pi), rounded as in the specification so that all engines agree. */
const barrierShift = 0.5826;

/** Checked parameters, the threshold already corrected. */
export interface Formula {
  readonly sigma: number;
  readonly threshold: number;
  readonly reset: number;
  /** ln(1000/(tauMem sqrt(pi))): turns the integral into Hz. */
  readonly logScale: number;
}

/** Checks parameters; a UserError names the first that cannot be. */
export function formulaOf(params: TransferParams): Formula {
  const { sigma, tauMemMs, threshold = 1, reset = 0, dtMs = 0.1, correctThreshold = true } = params;
  const positive = (value: number, name: string, hint: string): void => {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
      throw new UserError(`${name} of the rate formula is ${value}; it must be a finite number > 0 — ${hint}`);
    }
  };
  positive(sigma, "sigma", "without noise a neuron below threshold never fires and no rate has an input");
  positive(tauMemMs, "tauMemMs", "give the membrane time constant in ms");
  if (correctThreshold) positive(dtMs, "dtMs", "give the time step in ms or set correctThreshold: false");
  const gap = threshold - reset;
  if (!(gap > 0 && gap < Number.POSITIVE_INFINITY)) {
    throw new UserError(`threshold ${threshold} and reset ${reset} of the rate formula: the threshold must lie above`);
  }
  if (!(sigma >= gap * 1e-3 && sigma <= gap * 1e6)) {
    throw new UserError(
      `sigma ${sigma} is out of proportion to threshold - reset = ${gap}; the rate formula serves 1e-3 to 1e6 times it`,
    );
  }
  return {
    sigma,
    threshold: correctThreshold ? threshold + barrierShift * sigma * Math.sqrt(dtMs / tauMemMs) : threshold,
    reset,
    logScale: log(1000 / (tauMemMs * Math.sqrt(Math.PI))),
  };
}

/** 16-point Gauss-Legendre on [-1, 1], positive half. */
const nodes = [
  0.09501250983763744, 0.2816035507792589, 0.45801677765722737, 0.6178762444026438, 0.755404408355003,
  0.8656312023878318, 0.9445750230732326, 0.9894009349916499,
];
const weights = [
  0.1894506104550685, 0.18260341504492358, 0.16915651939500254, 0.14959598881657674, 0.12462897125553388,
  0.09515851168249279, 0.062253523938647894, 0.027152459411754096,
];

/** exp(x^2)(1 + erf x) * exp(-shift), where shift >= x^2 for positive x. `root` is sqrt(shift). */
function integrand(x: number, shift: number, root: number, scale: number): number {
  if (x <= 0) return erfcx(-x) * scale;
  return 2 * exp(root === 0 ? x * x - shift : (x - root) * (x + root)) - erfcx(x) * scale;
}

/** Integral of the scaled integrand over [from, to] by one panel. */
function panel(from: number, to: number, shift: number, root: number, scale: number): number {
  const centre = 0.5 * (from + to);
  const half = 0.5 * (to - from);
  let sum = 0;
  for (let i = 0; i < 8; i++) {
    const offset = half * nodes[i];
    sum +=
      weights[i] * (integrand(centre - offset, shift, root, scale) + integrand(centre + offset, shift, root, scale));
  }
  return sum * half;
}

/** ln nu (nu in Hz) and its derivative with respect to mu, which Newton's method needs. */
export interface LogRate {
  readonly value: number;
  readonly slope: number;
}

/** Siegert's formula. ln nu rises strictly with mu. */
export function logRate(mu: number, formula: Formula): LogRate {
  const low = (formula.reset - mu) / formula.sigma;
  const high = (formula.threshold - mu) / formula.sigma;
  const root = Math.max(high, 0);
  const shift = root * root;
  const scale = exp(-shift);
  let integral = 0;
  // Above 0 the integrand grows like exp(x^2), so panels shrink as 1/x and stop when nothing more can be added; below
  // 0 it decays like 1/|x|, so panels may double.
  let to = high;
  while (to > low) {
    let from: number;
    if (to > 0) from = Math.max(to - Math.min(1, 2 / to), low, 0);
    else from = Math.max(2 * to - 1, low);
    const part = panel(from, to, shift, root, scale);
    integral += part;
    if (to > 0 && from > 0 && part < 1e-18 * integral) {
      // Ten e-folds and more below the top; the rest, the negative side included, cannot reach the last bit.
      break;
    }
    to = from;
  }
  const atHigh = integrand(high, shift, root, scale);
  const atLow = integrand(low, shift, root, scale);
  return {
    value: formula.logScale - shift - log(integral),
    slope: (atHigh - atLow) / (formula.sigma * integral),
  };
}

/**
 * Stationary firing rate in Hz of a LIF neuron with mean input `mu` (units of threshold).
 * Underflows to 0 only below e^-745 Hz. Throws a UserError for impossible parameters or a mu that is not finite.
 */
export function lifRateHz(mu: number, params: TransferParams): number {
  if (!Number.isFinite(mu)) throw new UserError(`the mean input of the rate formula is ${mu}; give a finite number`);
  return exp(logRate(mu, formulaOf(params)).value);
}
