/** Runs cells side by side: as many as there are jobs and memory, in their order, until all are done or a stop is asked for. */
import { setTimeout as sleep } from "node:timers/promises";
import { exitCode } from "../../base/errors.ts";
import type { Interruption } from "../../experiment/interruption.ts";

/** How a cell ended. */
export type CellEnd =
  | { readonly kind: "finished" }
  /** Asked to, with its state kept. */
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string; readonly exitCode: number | null };

export interface RunningCell {
  readonly ended: Promise<CellEnd>;
  /** Asks it to stop and keep its state. */
  stop(): void;
  /** Ends it now. */
  kill(): void;
}

export interface Schedule<Cell> {
  readonly jobs: number;
  /** Bytes that all running cells together may take. */
  readonly memory: number;
  /** Bytes that a cell takes. */
  needOf(cell: Cell): Promise<number>;
  start(cell: Cell): RunningCell;
  /** Called for each cell that did not stop half-way. */
  onEnd(cell: Cell, end: Exclude<CellEnd, { kind: "stopped" }>): Promise<void>;
  /** How long cells may take to stop before they are ended. What they had kept before is kept. */
  readonly graceMs: number;
}

interface Job<Cell> extends RunningCell {
  readonly cell: Cell;
  /** What comes of it; never fails. */
  readonly done: Promise<unknown>;
}

/** @returns whether every cell was run to its end */
export async function runCells<Cell>(
  cells: readonly Cell[],
  plan: Schedule<Cell>,
  interruption: Interruption,
): Promise<boolean> {
  const waiting = [...cells];
  const running = new Set<Job<Cell>>();
  const again = new Set<Cell>();
  let fault: unknown;
  let ended = 0;
  let stopListening = () => {};
  const stopped = new Promise<void>((resolve) => {
    stopListening = interruption.onRequest(resolve);
  });

  const start = (cell: Cell): void => {
    const child = plan.start(cell);
    const settle = async () => {
      const end = await child.ended;
      if (end.kind === "stopped") return;
      // Memory or a file that others held: they may be done when everything else is.
      if (end.kind === "failed" && end.exitCode === exitCode.unavailable && !again.has(cell)) {
        again.add(cell);
        waiting.push(cell);
        return;
      }
      await plan.onEnd(cell, end);
      ended++;
    };
    const done = settle()
      .catch((error) => {
        fault ??= error;
      })
      .finally(() => running.delete(job));
    const job: Job<Cell> = { ...child, cell, done };
    running.add(job);
  };

  /** Whether the next cell fits beside those that run; alone it always may try. */
  const fits = async (next: Cell): Promise<boolean> => {
    if (running.size === 0) return true;
    let sum = await plan.needOf(next);
    for (const { cell } of [...running]) sum += await plan.needOf(cell);
    return running.size === 0 || sum <= plan.memory;
  };

  const going = () => !interruption.requested && fault === undefined;
  while (going() && (waiting.length > 0 || running.size > 0)) {
    while (going() && waiting.length > 0 && running.size < plan.jobs) {
      const room = await Promise.race([fits(waiting[0]), stopped.then(() => false)]);
      if (!room || !going()) break;
      start(waiting.shift()!);
    }
    if (going() && running.size > 0) await Promise.race([...[...running].map(({ done }) => done), stopped]);
  }
  stopListening();
  for (const job of running) job.stop();
  const all = Promise.all([...running].map(({ done }) => done));
  await Promise.race([all, sleep(plan.graceMs, undefined, { ref: false })]);
  for (const job of running) job.kill();
  await all;
  if (fault !== undefined) throw fault;
  return ended === cells.length;
}
