import { describe, expect, it } from "vitest";
import { makeSchedule, type ScheduleDescription } from "./schedule.ts";

const length = { epochs: 4, stepsPerEpoch: 5 };

function factors(description: ScheduleDescription | ScheduleDescription[], steps = 20): number[] {
  const schedule = makeSchedule(description, length);
  return Array.from({ length: steps }, (_, step) => schedule.factor(step));
}

function expectFactors(actual: number[], expected: number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((factor, i) => {
    expect(factor).toBeCloseTo(expected[i], 12);
  });
}

describe("schedules", () => {
  it("constant", () => {
    expect(factors({ type: "constant" }, 3)).toEqual([1, 1, 1]);
  });

  it("cosine: from 1 over the half way to the end, and stays there", () => {
    const plain = factors({ type: "cosine" }, 26);
    expect(plain[0]).toBe(1);
    expect(plain[10]).toBeCloseTo(0.5, 12);
    expect(plain[5]).toBeCloseTo(0.5 + 0.5 * Math.SQRT1_2, 12);
    expect(plain.slice(20)).toEqual([0, 0, 0, 0, 0, 0]);
    const raised = factors({ type: "cosine", final: 0.2, epochs: 2 }, 21);
    expect(raised[5]).toBeCloseTo(0.6, 12);
    expect(raised[20]).toBeCloseTo(0.2, 12);
  });

  it("cosine with warm-up rises linearly to 1 first", () => {
    const warm = factors({ type: "cosine", warmUpEpochs: 2 }, 21);
    expectFactors(warm.slice(0, 11), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1]);
    expect(warm[15]).toBeCloseTo(0.5, 12);
    expect(() => factors({ type: "cosine", warmUpEpochs: 4 })).toThrow("leaves nothing of 4 epochs");
  });

  it("step and exponential change between epochs", () => {
    const step = factors({ type: "step", everyEpochs: 2, factor: 0.1 });
    expectFactors([step[0], step[9], step[10], step[19]], [1, 1, 0.1, 0.1]);
    const exponential = factors({ type: "exponential", factor: 0.5 });
    expectFactors([exponential[4], exponential[5], exponential[10], exponential[19]], [1, 0.5, 0.25, 0.125]);
  });

  it("ease-in grows from step to step and ends at 1", () => {
    expect(factors({ type: "easeIn", start: 0.25, growth: 2 }, 4)).toEqual([0.25, 0.5, 1, 1]);
    expect(makeSchedule({ type: "easeIn" }, length).factor(1e6)).toBe(1);
  });

  it("plateau falls after the loss has not fallen for `patience` epochs", () => {
    const schedule = makeSchedule({ type: "plateau", factor: 0.5, patience: 1, threshold: 0.1, minimum: 0.2 }, length);
    const after = [10, 8, 7.5, 7, 6.9, 6.8, NaN, 7, 7, 7].map((loss) => {
      schedule.report(loss);
      return schedule.factor(0);
    });
    //                     10 8  7.5 7(better by > 10 %) 6.9 6.8  NaN  7     7    7 (minimum)
    expect(after).toEqual([1, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2]);
  });

  it("several multiply, and remember what they must across a checkpoint", () => {
    const description: ScheduleDescription[] = [
      { type: "easeIn", start: 0.25, growth: 2 },
      { type: "plateau", patience: 0, factor: 0.5 },
    ];
    const schedule = makeSchedule(description, length);
    schedule.report(1);
    schedule.report(1);
    expect(schedule.factor(1)).toBe(0.25);
    const state = JSON.parse(JSON.stringify(schedule.state()));
    const resumed = makeSchedule(description, length);
    resumed.restore(state);
    schedule.report(0.5);
    resumed.report(0.5);
    schedule.report(0.5);
    resumed.report(0.5);
    expect(resumed.factor(9)).toBe(0.25);
    expect(resumed.state()).toEqual(schedule.state());
    expect(() => makeSchedule({ type: "constant" }, length).restore(state)).toThrow("that of another schedule");
    expect(() => makeSchedule([...description].reverse(), length).restore(state)).toThrow("that of another schedule");
  });

  it("refuses what it does not know, and says which of several", () => {
    expect(() => factors({ type: "cosin" as "cosine" })).toThrow('schedule.type is "cosin"');
    expect(() => factors([{ type: "constant" }, { type: "step", factor: 0 }])).toThrow("schedule.1.factor is 0");
  });
});
