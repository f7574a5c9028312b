/** How the command line says things on stderr: short lines, colour only where a terminal shows it and nobody objects. */
import type { Context } from "./context.ts";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
export type Style = keyof typeof codes;

export type Paint = (style: Style, text: string) => string;

/** Colours for a stream; plain text when it is no terminal, or with NO_COLOR or TERM=dumb. */
export function paintFor(context: Context): Paint {
  const off =
    context.stderr.columns === undefined || (context.env.NO_COLOR ?? "") !== "" || context.env.TERM === "dumb";
  return off ? (_, text) => text : (style, text) => `\u001b[${codes[style]}m${text}\u001b[0m`;
}

/** `58 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** Seconds with three digits that matter: `0.213 s`, `48.1 s`. */
export function formatSeconds(seconds: number): string {
  return `${seconds >= 100 ? Math.round(seconds) : Number(seconds.toPrecision(3))} s`;
}

export const formatFigure = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined || !Number.isFinite(value) ? "undefined" : value.toFixed(digits);

export const formatCount = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, " ");

/** JSON has no NaN: a figure that does not exist is null. */
export const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;
