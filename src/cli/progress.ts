/**
 * The progress of a training run on stderr: one line that updates on a terminal; elsewhere a line of its own at most
 * every second or so, the first and the last always.
 */
import type { IterationReport } from "../learning/rls/results.ts";
import type { Context } from "./context.ts";
import { formatDuration, formatFigure, formatSeconds, type Paint, paintFor } from "./talk.ts";

const plainEveryMs = 1000;
const longPlainEveryMs = 15000;
const terminalEveryMs = 50;
const barWidth = 20;

export interface ProgressState {
  readonly iteration: number;
  readonly total: number;
  /** The last one measured. */
  readonly correlation: number | null;
  readonly rateHz: number;
  readonly secondsPerIteration: number;
}

/** One line, without colours: what the progress says. */
export function progressText(state: ProgressState): string {
  const left = (state.total - state.iteration) * state.secondsPerIteration;
  return [
    `iteration ${state.iteration}/${state.total}`,
    `correlation ${state.correlation === null ? "-" : formatFigure(state.correlation)}`,
    `${state.rateHz.toFixed(2)} Hz`,
    `${formatSeconds(state.secondsPerIteration)}/iteration`,
    ...(state.iteration < state.total ? [`${formatDuration(left)} left`] : []),
  ].join("  ");
}

function bar(fraction: number, paint: Paint): string {
  const full = Math.round(fraction * barWidth);
  return paint("green", "━".repeat(full)) + paint("dim", "─".repeat(barWidth - full));
}

export class Progress {
  private readonly context: Context;
  private readonly paint: Paint;
  private readonly now: () => number;
  private lineOpen = false;
  private shownAt = Number.NEGATIVE_INFINITY;
  /** Smoothed, so that time left does not jump. */
  private smoothed: number | undefined;

  constructor(context: Context, now: () => number = () => performance.now()) {
    this.context = context;
    this.paint = paintFor(context);
    this.now = now;
  }

  /** A sentence on a line of its own, above the updating line. */
  say(text: string): void {
    this.clear();
    this.context.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    this.say(`${this.paint("yellow", "warning:")} ${text}`);
  }

  iteration(report: IterationReport, progress: { total: number; correlation: number | null }): void {
    this.smoothed = this.smoothed === undefined ? report.seconds : 0.8 * this.smoothed + 0.2 * report.seconds;
    const first = this.shownAt === Number.NEGATIVE_INFINITY;
    const last = report.iteration >= progress.total;
    const columns = this.context.stderr.columns;
    const since = this.now() - this.shownAt;
    if (!first && !last && since < (columns === undefined ? plainEveryMs : terminalEveryMs)) return;
    this.shownAt = this.now();
    const text = progressText({
      iteration: report.iteration,
      total: progress.total,
      correlation: progress.correlation,
      rateHz: report.rateHz,
      secondsPerIteration: this.smoothed,
    });
    if (columns === undefined) {
      this.context.stderr.write(`${text}\n`);
      return;
    }
    this.drawLine(text, report.iteration / progress.total, columns);
    if (last) this.finish();
  }

  /** What is going on, on the updating line of a terminal; elsewhere not more often than every 15 s. */
  update(text: string, fraction: number): void {
    const columns = this.context.stderr.columns;
    if (this.shownAt === Number.NEGATIVE_INFINITY) this.shownAt = this.now();
    if (this.now() - this.shownAt < (columns === undefined ? longPlainEveryMs : terminalEveryMs)) return;
    this.shownAt = this.now();
    if (columns === undefined) this.context.stderr.write(`${text}\n`);
    else this.drawLine(text, fraction, columns);
  }

  private drawLine(text: string, fraction: number, columns: number): void {
    const room = columns - 1;
    const withBar = room >= text.length + barWidth + 2;
    const line = withBar ? `${bar(fraction, this.paint)}  ${text}` : text.slice(0, room);
    this.context.stderr.write(`\r\u001b[K${line}`);
    this.lineOpen = true;
  }

  /** How far the trial that is running has come; says so after the first seconds of a long one. */
  watchTrial(what: () => string, fraction: () => number): () => void {
    const terminal = this.context.stderr.columns !== undefined;
    const timer = setInterval(
      () => {
        if (this.now() - this.shownAt < 2000) return;
        const text = `${what()}: ${Math.floor(100 * fraction())} % of the trial`;
        this.context.stderr.write(
          terminal ? `\r\u001b[K${text.slice(0, this.context.stderr.columns! - 1)}` : `${text}\n`,
        );
        this.lineOpen = terminal;
      },
      terminal ? 1000 : longPlainEveryMs,
    );
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Trials of a frozen test: on a terminal only, they are quick. */
  trial(done: number, total: number): void {
    if (this.context.stderr.columns === undefined) return;
    this.context.stderr.write(`\r\u001b[K${bar(done / total, this.paint)}  trial ${done}/${total}`);
    this.lineOpen = done < total;
    if (done === total) this.context.stderr.write("\n");
  }

  /** Leaves the last state of the updating line on the screen. */
  finish(): void {
    if (this.lineOpen) this.context.stderr.write("\n");
    this.lineOpen = false;
  }

  private clear(): void {
    if (this.lineOpen) this.context.stderr.write("\r\u001b[K");
    this.lineOpen = false;
  }
}
