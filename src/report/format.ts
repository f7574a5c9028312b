/** Numbers as people read them: significant digits, a true minus sign, units one thin space away. */

const missing = "—";
const thin = "\u202f";

function typographic(text: string): string {
  return text.replace(/^-/, "−");
}

/** 1216 -> 1,216 */
export function integer(value: number): string {
  if (!Number.isFinite(value)) return missing;
  return typographic(
    Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+$)/g, ","),
  );
}

/** Three significant digits unless told; very small and very large values as 1.2 × 10⁻⁵. */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return missing;
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3 || magnitude >= 1e6) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${typographic(mantissa.replace(/\.?0+$/, ""))}${thin}×${thin}10${superscript(Number(exponent))}`;
  }
  if (magnitude >= 10 ** (digits - 1)) return integer(value);
  return typographic(value.toPrecision(digits));
}

export function superscript(value: number): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return String(value)
    .replace(/-/g, "⁻")
    .replace(/\d/g, (digit) => digits[Number(digit)]);
}

/** Correlations and shares of variance: always three decimals, so that columns line up. */
export function correlation(value: number): string {
  return Number.isFinite(value) ? typographic(value.toFixed(3)) : missing;
}

export function hertz(value: number): string {
  return Number.isFinite(value) ? `${significant(value)}${thin}Hz` : missing;
}

export function milliseconds(value: number): string {
  return `${significant(value)}${thin}ms`;
}

export function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return missing;
  const value = fraction * 100;
  return `${typographic(Math.abs(value) < 9.95 ? value.toFixed(1) : value.toFixed(0))}${thin}%`;
}

/** Shares that are compared with each other: one decimal, 85.0 %. */
export function accuracy(fraction: number): string {
  return Number.isFinite(fraction) ? `${(100 * fraction).toFixed(1)}${thin}%` : missing;
}

/** 1024 x 1024 bytes are a MiB. */
export function bytes(count: number): string {
  if (!Number.isFinite(count)) return missing;
  return count < 2 ** 30 ? `${significant(count / 2 ** 20)}${thin}MiB` : `${significant(count / 2 ** 30)}${thin}GiB`;
}

/** A short time: 850 µs, 12.3 ms, 4.56 s. */
export function seconds(value: number): string {
  if (!Number.isFinite(value)) return missing;
  if (value === 0) return `0${thin}s`;
  if (value < 1e-3) return `${significant(value * 1e6)}${thin}µs`;
  if (value < 1) return `${significant(value * 1e3)}${thin}ms`;
  return `${significant(value)}${thin}s`;
}

/** A long time: 42 s, 7 min 5 s, 2 h 14 min, 3 d 4 h. */
export function duration(value: number): string {
  if (!Number.isFinite(value)) return missing;
  if (value < 60) return seconds(value);
  const units: readonly (readonly [string, number])[] = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  const at = units.findIndex(([, size]) => value >= size);
  const [large, size] = units[at];
  const [small, smallSize] = units[at + 1];
  // Round in the smaller unit first, so that 59.6 min of rest become the next hour.
  const rounded = Math.round(value / smallSize) * smallSize;
  const rest = Math.round((rounded % size) / smallSize);
  return `${Math.floor(rounded / size)}${thin}${large}${rest > 0 ? ` ${rest}${thin}${small}` : ""}`;
}

/** 1 trial, 2 trials; the number itself is not written when it is 1 and an article is given. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integer(count)} ${count === 1 ? one : many}`;
}
