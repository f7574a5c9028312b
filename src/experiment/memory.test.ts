import { expect, test } from "vitest";
import { availableMemory } from "./memory.ts";

test("this machine has some memory", () => {
  expect(availableMemory()).toBeGreaterThan(1e7);
});
