import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Interruption } from "../../experiment/interruption.ts";
import { messageIn } from "./cell-process.ts";
import { type CellEnd, type RunningCell, runCells, type Schedule } from "./schedule.ts";

/** Cells are numbers; each ends as told, after some milliseconds, and asks for so much memory. */
function rig(ends: (cell: number, attempt: number) => CellEnd, change: Partial<Schedule<number>> = {}) {
  const running = new Set<number>();
  const log = {
    started: [] as number[],
    ended: [] as [number, string][],
    most: 0,
    mostMemory: 0,
    killed: [] as number[],
  };
  const needOf = change.needOf ?? (async () => 1);
  const attempts = new Map<number, number>();
  const plan: Schedule<number> = {
    jobs: 2,
    memory: 100,
    needOf,
    graceMs: 50,
    async onEnd(cell, end) {
      await sleep(1);
      log.ended.push([cell, end.kind]);
    },
    ...change,
    start: (cell): RunningCell => {
      log.started.push(cell);
      running.add(cell);
      log.most = Math.max(log.most, running.size);
      void Promise.all([...running].map(needOf)).then((needs) => {
        log.mostMemory = Math.max(
          log.mostMemory,
          needs.reduce((a, b) => a + b, 0),
        );
      });
      const attempt = (attempts.get(cell) ?? 0) + 1;
      attempts.set(cell, attempt);
      let stop = () => {};
      let kill = () => {};
      const ended = Promise.race([
        sleep(5 + (cell % 3) * 4).then(() => (cell < 0 ? new Promise<CellEnd>(() => {}) : ends(cell, attempt))),
        new Promise<CellEnd>((resolve) => {
          stop = () => cell > -100 && resolve({ kind: "stopped" });
          kill = () => {
            log.killed.push(cell);
            resolve({ kind: "stopped" });
          };
        }),
      ]).finally(() => running.delete(cell));
      return { ended, stop: () => stop(), kill: () => kill() };
    },
  };
  return { plan, log };
}

const fine = (): CellEnd => ({ kind: "finished" });
const failed = (exitCode: number | null): CellEnd => ({ kind: "failed", message: "no", exitCode });

test("every cell is run once, in order, as many at a time as there are jobs", async () => {
  const { plan, log } = rig((cell) => (cell === 4 ? failed(64) : fine()), { jobs: 3 });
  const cells = [1, 2, 3, 4, 5, 6, 7];
  expect(await runCells(cells, plan, new Interruption())).toBe(true);
  expect(log.started).toEqual(cells);
  expect(log.most).toBe(3);
  expect(log.ended.map(([cell]) => cell).sort()).toEqual(cells);
  expect(log.ended.find(([cell]) => cell === 4)).toEqual([4, "failed"]);
});

test("cells that do not fit beside each other wait, and one that fits nowhere may try alone", async () => {
  const { plan, log } = rig(fine, { jobs: 8, memory: 10, needOf: async (cell) => cell });
  await runCells([4, 5, 6, 3, 12, 1], plan, new Interruption());
  expect(log.started).toEqual([4, 5, 6, 3, 12, 1]);
  expect(log.mostMemory).toBe(12);
  expect(log.ended).toHaveLength(6);
});

test("a cell that found no room tries once more, after the others", async () => {
  const { plan, log } = rig((cell, attempt) =>
    cell === 1 && attempt === 1 ? failed(69) : cell === 2 ? failed(69) : fine(),
  );
  await runCells([1, 2, 3, 4], plan, new Interruption());
  expect(log.started).toEqual([1, 2, 3, 4, 1, 2]);
  expect(log.ended.find(([cell]) => cell === 1)).toEqual([1, "finished"]);
  expect(log.ended.filter(([cell]) => cell === 2)).toEqual([[2, "failed"]]);
});

test("a stop reaches the cells that run, starts no other, and ends those that do not listen", async () => {
  const { plan, log } = rig(fine);
  const interruption = new Interruption();
  const running = runCells([-1, -100, 5], plan, interruption);
  await sleep(20);
  const asked = performance.now();
  interruption.request();
  expect(await running).toBe(false);
  expect(performance.now() - asked).toBeLessThan(500);
  expect(log.started).toEqual([-1, -100]);
  expect(log.killed).toEqual([-100]);
  expect(log.ended).toEqual([]);
});

test("a stop while memory is being asked for starts nothing", async () => {
  const { plan, log } = rig(fine, { needOf: () => new Promise(() => {}) });
  const interruption = new Interruption();
  const running = runCells([-1, 2], plan, interruption);
  await sleep(5);
  interruption.request();
  expect(await running).toBe(false);
  expect(log.started).toEqual([-1]);
});

test("a result that cannot be kept stops everything and is not hidden", async () => {
  const { plan, log } = rig(fine, {
    onEnd: async () => {
      throw new Error("disk full");
    },
  });
  await expect(runCells([1, -1, 2, 3], plan, new Interruption())).rejects.toThrow("disk full");
  expect(log.started.length).toBeLessThan(4);
});

test("the message of a cell is what it said last", () => {
  expect(messageIn("building\nepoch 1/3\nerror: too large a step\n")).toBe("too large a step");
  expect(messageIn("error: x has 2 faults:\n  a\n  b\n")).toBe("x has 2 faults:\n  a\n  b");
  expect(messageIn("building\ninternal fault of Volley, please report it:\nTypeError: x\n  at y\n")).toMatch(
    /^internal fault.*at y$/s,
  );
  expect(messageIn("")).toBe("");
});
