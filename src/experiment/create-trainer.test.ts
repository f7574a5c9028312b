import { expect, test } from "vitest";
import { type CreateTrainerOptions, createTrainerOn, type Machine } from "./create-trainer.ts";
import type { ExperimentInput } from "./schema.ts";

const given: ExperimentInput = { neurons: 1000, static: null, plastic: { inputsPerType: 32 } };

/** A machine that builds nothing: being asked to is what the tests look for. */
async function ask(options: CreateTrainerOptions, availableMemory?: () => number): Promise<string> {
  const machine: Machine = {
    cores: 2,
    availableMemory,
    readRecording: async () => Promise.reject(new Error("no recording here")),
    readBytes: async () => Promise.reject(new Error("no files here")),
    createRlsTrainer: async () => Promise.reject(new Error("asked to build")),
  };
  return createTrainerOn(machine, given, options).then(
    () => "built",
    (error: Error) => error.message,
  );
}

test("a network that does not fit is refused before it is built, unless the caller wants to try", async () => {
  const plenty = () => 10e9;
  const little = () => 145e6;
  expect(await ask({}, plenty)).toBe("asked to build");
  expect(await ask({}, little)).toMatch(
    /^this experiment needs 1\d\d MB of memory .* but 145 MB are available; the largest that fits is neurons = \d+\./,
  );
  expect(await ask({ checkMemory: false }, little)).toBe("asked to build");
  expect(await ask({}, undefined)).toBe("asked to build");
});
