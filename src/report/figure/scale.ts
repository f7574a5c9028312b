/** Axes of a figure: from values to places between 0 and 1, with ticks at round numbers. */
import { superscript } from "../format.ts";
import { niceTicks } from "../statistics.ts";

export interface Tick {
  readonly value: number;
  /** "" for ticks that are only marked. */
  readonly label: string;
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly Tick[];
  /** 0 at the lower end of the axis, 1 at the upper one. */
  at(value: number): number;
}

export interface ScaleSettings {
  readonly logarithmic: boolean;
  /** The axis does not reach beyond these. */
  readonly bounds?: readonly [number, number];
  /** Few values, to be labelled themselves. */
  readonly places?: readonly number[];
}

/** `−0.5`, `1000`, `0.0316`, without the digits that arithmetic leaves. */
export function plainNumber(value: number): string {
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential() : String(Number(value.toPrecision(6)));
  return text.replaceAll("-", "−");
}

/** 0.01 as 10⁻², 1 as 1, 10 as 10. */
function powerText(exponent: number): string {
  return exponent === 0 ? "1" : exponent === 1 ? "10" : `10${superscript(exponent)}`;
}

function linearScale(values: readonly number[], { bounds, places }: ScaleSettings): Scale {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  if (places !== undefined) {
    // Points stand clear of the frame.
    const room = 0.06 * (high - low);
    [low, high] = [low - room, high + room];
  } else {
    const [first, second] = niceTicks(low, high, 5);
    const step = second === undefined ? high - low : second - first;
    [low, high] = [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
  }
  if (bounds !== undefined && places === undefined) [low, high] = [Math.max(low, bounds[0]), Math.min(high, bounds[1])];
  const ticks = (places ?? niceTicks(low, high, 5)).map((value) => ({ value, label: plainNumber(value) }));
  return { low, high, ticks, at: (value) => (value - low) / (high - low) };
}

/** Ticks at 1 to 9 times the powers of ten; powers are labelled, and where there are fewer than two, 2 and 5 times too. */
function logScale(values: readonly number[]): Scale {
  const [smallest, largest] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  const room = Math.max(0.05, 0.03 * (largest - smallest));
  const [from, to] = [smallest - room, largest + room];
  const inside = (value: number) => Math.log10(value) >= from && Math.log10(value) <= to;
  const exponents = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i);
  const powers = exponents.filter((exponent) => inside(10 ** exponent)).length;
  const every = Math.ceil(powers / 9);
  const ticks = exponents.flatMap((exponent) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((factor): Tick[] => {
      const value = Number((factor * 10 ** exponent).toPrecision(6));
      if (!inside(value) || (factor > 1 && powers > 6)) return [];
      if (powers < 2) return [{ value, label: [1, 2, 5].includes(factor) ? plainNumber(value) : "" }];
      return [{ value, label: factor === 1 && exponent % every === 0 ? powerText(exponent) : "" }];
    }),
  );
  return { low: 10 ** from, high: 10 ** to, ticks, at: (value) => (Math.log10(value) - from) / (to - from) };
}

/** @param values finite; above 0 where the axis is logarithmic */
export function scaleOf(values: readonly number[], settings: ScaleSettings): Scale {
  const given = values.length > 0 ? values : [1];
  return settings.logarithmic ? logScale(given) : linearScale(given, settings);
}
