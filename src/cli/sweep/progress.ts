/** What a sweep says while it runs: one line per cell that ended, and on a terminal a bar with the time that is left. */
import type { Cell } from "../../experiment/sweep/cells.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress.ts";
import { formatDuration } from "../talk.ts";

export class SweepProgress {
  readonly talk: Progress;
  readonly #onTerminal: boolean;
  readonly #total: number;
  readonly #now: () => number;
  readonly #started: number;
  /** Finished before this process began, and in it. */
  readonly #before: number;
  #ended = 0;
  /** Of the cells that run: share that is done, and when they began. */
  readonly #running = new Map<Cell, { fraction: number; since: number }>();

  /** @param total cells in all. @param before of which have come to their end already */
  constructor(context: Context, { total, before }: { total: number; before: number }, now = () => performance.now()) {
    this.talk = new Progress(context, now);
    this.#onTerminal = context.stderr.columns !== undefined;
    this.#total = total;
    this.#before = before;
    this.#now = now;
    this.#started = now();
  }

  start(cell: Cell): void {
    this.#running.set(cell, { fraction: 0, since: this.#now() });
    this.#show();
  }

  move(cell: Cell, fraction: number): void {
    const state = this.#running.get(cell);
    if (state !== undefined) state.fraction = fraction;
    this.#show();
  }

  /** @param what came of it */
  end(cell: Cell, what: string): void {
    const since = this.#running.get(cell)?.since ?? this.#now();
    this.#running.delete(cell);
    this.#ended++;
    const seconds = (this.#now() - since) / 1000;
    this.talk.say(`[${this.#before + this.#ended}/${this.#total}] ${cell.name}  ${what}  ${formatDuration(seconds)}`);
    this.#show();
  }

  /** Cells that ended here, parts of those that run included. */
  get #work(): number {
    return [...this.#running.values()].reduce((sum, { fraction }) => sum + fraction, this.#ended);
  }

  /** Seconds that are left at the speed so far; undefined while nothing is known of it. */
  secondsLeft(): number | undefined {
    const work = this.#work;
    if (work === 0) return undefined;
    const left = this.#total - this.#before - work;
    return ((left / work) * (this.#now() - this.#started)) / 1000;
  }

  #show(): void {
    if (!this.#onTerminal) return;
    const left = this.secondsLeft();
    const parts = [
      `${this.#before + this.#ended}/${this.#total} cells`,
      `${this.#running.size} running`,
      ...(left === undefined ? [] : [`${formatDuration(left)} left`]),
    ];
    this.talk.update(parts.join("  "), (this.#before + this.#work) / this.#total);
  }
}
