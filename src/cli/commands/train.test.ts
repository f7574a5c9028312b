import { Command } from "commander";
import { expect, test } from "vitest";
import type { Context } from "../context.ts";
import { addTrain } from "./train.ts";

const nothing = { columns: undefined, write: () => true };

async function train(...args: string[]): Promise<void> {
  const context = { stdout: nothing, stderr: nothing, env: {} } as unknown as Context;
  const program = new Command("volley").exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  addTrain(program, context);
  await program.parseAsync(["train", ...args], { from: "user" });
}

test.each<[string, string[], RegExp]>([
  [
    "a preset by option",
    ["--preset", "digits", "--set", "learning.rulle=bptt"],
    /^preset "digits": unknown key "learning.rulle" — did you mean "rule"/,
  ],
  ["one that does not exist", ["--preset", "digit"], /--preset digit: there is no such preset — did you mean "digits"/],
  ["a file is no preset", ["--preset", "my.json"], /there is no such preset; the presets are alm, /],
  ["both", ["alm", "--preset", "digits"], /both an experiment \(alm\) and --preset digits are given; leave one/],
])("%s", async (_, args, message) => {
  await expect(train(...args)).rejects.toThrow(message);
});
