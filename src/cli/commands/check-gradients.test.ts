import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { afterAll, describe, expect, test } from "vitest";
import { exitCode, UserError } from "../../base/errors.ts";
import type { Context } from "../context.ts";
import { addCheckGradients } from "./check-gradients.ts";

const folder = mkdtempSync(join(tmpdir(), "volley-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function check(...args: string[]): Promise<string> {
  let text = "";
  const stdout = {
    columns: undefined,
    write: (part: string) => {
      text += part;
    },
  };
  const program = new Command().exitOverride();
  addCheckGradients(program, { stdout } as Partial<Context> as Context);
  await program.parseAsync(["check-gradients", ...args], { from: "user" });
  return text;
}

/** A module with a leaky neuron whose decay is as given. */
function modelFile(name: string, decay: string): string {
  const path = join(folder, name);
  const build = pathToFileURL("src/expression/build.ts").href;
  writeFileSync(
    path,
    `import { stopGradient, exp, select, spike } from ${JSON.stringify(build)};
    export default {
      name: "mine", description: "", source: "",
      parameters: { tau: { unit: "ms", default: 10, doc: "" }, threshold: { unit: "1", default: 1, doc: "" } },
      states: { v: { unit: "1", initial: 0, doc: "" } },
      step: ({ v, current, tau, dtMs, threshold }) => ({ v: v.times(${decay}).plus(current) }),
      margin: ({ v, threshold }) => v.minus(threshold),
      reset: ({ v, threshold }) => ({ v: v.minus(threshold) }),
    };`,
  );
  return path;
}

describe("volley check-gradients", () => {
  test("a built-in model: one line per array", async () => {
    const text = await check("BellecALIF");
    const lines = text.trimEnd().split("\n");
    expect(lines[0]).toBe("BellecALIF, readout LI, steps of 1 ms: all gradients agree");
    expect(lines[1]).toMatch(/entries +finite differences +traces \(e-prop\)$/);
    const names = lines.slice(2).map((line) => line.trim().split(/ {2}/)[0]);
    expect(names).toEqual([
      "weights in",
      "weights rec",
      "weights out",
      "bias of hidden",
      "tauMemMs of hidden",
      "threshold of hidden",
      "tauAdaptMs of hidden",
      "beta of hidden",
      "bias of readout",
      "tauMemMs of readout",
    ]);
    for (const line of lines.slice(2)) expect(line).toMatch(/ \d+ +\d\.\de-\d+ +agrees +(0|\d\.\de-\d+) +agrees$/);
  });

  test("a readout as JSON, and another time step", async () => {
    const { passed, checks } = JSON.parse(await check("CuBaLI", "--json", "--dt", "0.5"));
    expect(passed).toBe(true);
    expect(checks).toHaveLength(1);
    expect(checks[0]).toMatchObject({ name: "LIF", readout: "CuBaLI", dtMs: 0.5, passed: true });
    expect(checks[0].differences.map(({ name }: { name: string }) => name)).toContain("tauSynMs of readout");
  });

  test("a model of one's own; what is stopped on purpose is no fault", async () => {
    expect(await check(modelFile("good.mjs", "exp(dtMs.negated().over(tau))"))).toMatch(
      /^mine, .* all gradients agree/,
    );
    const stopped = await check(modelFile("stopped.mjs", "stopGradient(exp(dtMs.negated().over(tau)))"));
    expect(stopped).toMatch(/tau of hidden +3 +0 +no influence/);
  });

  test("a derivative that is wrong ends with exit code 1", async () => {
    // A staircase rises, but its derivative is 0 wherever there is one.
    const stairs = "Array.from({ length: 400 }, (_, i) => select(v.gt(i / 400), 2e-3, 0)).reduce((a, b) => a.plus(b))";
    const path = modelFile("wrong.mjs", `exp(dtMs.negated().over(tau)).plus(${stairs})`);
    const error = await check(path).catch((reason) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error.exitCode).toBe(1);
    expect(error.message).toMatch(/^the gradients of mine are wrong where it says "differs"/);
  });

  test.each([
    ["adLFI", exitCode.noInput, /"adLFI" is neither a model nor a file — did you mean "adLIF"\?/],
    ["./missing.mjs", exitCode.noInput, /there is no model file \.\/missing\.mjs; check the path/],
  ])("%s", async (given, code, message) => {
    const error = await check(given).catch((reason) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ exitCode: code, message: expect.stringMatching(message) });
  });

  test("equations that finite differences say nothing about are refused with the reason", async () => {
    const ofState = check(modelFile("state.mjs", "stopGradient(v)"));
    await expect(ofState).rejects.toThrow(/has a stopGradient\(\) of something that changes from step to step/);
    const jump = check(modelFile("jump.mjs", "spike(v)"));
    await expect(jump).rejects.toThrow(/contain spike\(\), which is a jump/);
    await expect(check("LIF", "--dt", "soon")).rejects.toThrow(/--dt is "soon"; it must be a number of ms above 0/);
  });
});
