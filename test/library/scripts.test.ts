/** The scripts that print figures of docs/benchmarks.md, in seconds instead of minutes: that they run, and what they judge. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs a script of the repository to its end. */
async function run(script: string, args: string): Promise<Ended> {
  const path = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  return promisify(execFile)(process.execPath, [path, ...args.split(" ")]).then(
    (output) => ({ ...output, code: 0 }),
    (error: Ended) => error,
  );
}

test("rls-accuracy prints one table of nets, variants and seeds; other sizes are not judged", async () => {
  const args = "--only default --neurons 128 --iterations 1 --variants int16,block-20 --seeds 1,2";
  const { stdout, code } = await run("test/slow/rls-accuracy.mjs", args);
  expect(code).toBe(0);
  const table = stdout.slice(stdout.indexOf("net "));
  expect(table).toMatch(/^net +variant +single +worst +mean of 10 +R2 +Hz/);
  for (const name of ["int16 +seed 1", "int16 +seed 2", "block-20 +seed 1", "block-20 +seed 2"]) {
    expect(table).toMatch(new RegExp(`^default-4096 +${name}( +-?\\d+\\.\\d+){6} +0 +\\d`, "m"));
  }
  expect(table).toMatch(/asked for +>= 0\.68 +>= 0\.9 +>= 0\.4 +5\.7\.\.6\.6/);
  expect(table).toMatch(/not judged/);
});

test("rls-accuracy judges nets of their own size, by the mean over seeds", async () => {
  const { stdout, code } = await run("test/slow/rls-accuracy.mjs", "--only noise-200 --seeds 3 --variants block-20");
  expect(stdout).toMatch(/^noise-200 +block-20 +seed 3/m);
  expect(stdout).toMatch(code === 0 ? /all as asked for/ : /FAILS: .*\n[\s\S]*1 check\(s\) failed/);
});

test.each([
  ["--only noise-201", /--only noise-201 is no net; nets: noise-200, /],
  ["--only noise-200 --variants f16", /there is no variant f16/],
])("rls-accuracy %s is refused", async (args, message) => {
  const { code, stderr } = await run("test/slow/rls-accuracy.mjs", args);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
});

test("classifier-accuracy prints one line per check; other lengths are not judged, and missing files leave checks out", async () => {
  const args = "--only pattern,digits-lif-bptt --epochs 1 --seeds 1,2 --threads 2";
  const { stdout, stderr, code } = await run("test/slow/classifier-accuracy.mjs", args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^check +figure, per cent +mean \(seeds 1, 2\) +asked for +seconds$/m);
  expect(stdout).toMatch(/^digits-lif-bptt +left out: .*--data and --test$/m);
  const figures = /^pattern .* (\d+\.\d) \((\d+\.\d), (\d+\.\d)\) +0 to 2 +\d+ +not judged$/m.exec(stdout);
  const [mean, first, second] = figures!.slice(1).map(Number);
  expect(first).not.toBe(second);
  expect(Math.abs(mean - (first + second) / 2)).toBeLessThan(0.1);
  expect(stdout).toMatch(/not judged: another number of epochs was asked for\n$/);
  expect(stderr).toMatch(/^pattern \[2\/2\]/m);
});

test("classifier-accuracy fails with the reason when a network cannot be trained", async () => {
  const args = "--only digits-alif-eprop --data package.json --test package.json --seeds 1";
  const { stdout, code } = await run("test/slow/classifier-accuracy.mjs", args);
  expect(stdout).toMatch(
    /^digits-alif-eprop +not trained +\d+ +FAILED\n .*package\.json.*\n\n1 demand\(s\) missed\n$/m,
  );
  expect(code).toBe(1);
});

test.each([
  ["--only pattern,evidense", /^--only evidense is no check — did you mean "evidence"\?$/m],
  ["--only randmn", /did you mean "randman"\?/],
  ["--only nothing", /^--only nothing is no check; checks: digits-lif-bptt, /m],
  ["--seeds 1,two", /--seeds is "two"; it must be a whole number/],
  ["--data package.json", /--data and --test go together/],
  ["--data package.json --test absent.h5", /there is no file absent\.h5/],
])("classifier-accuracy %s is refused", async (args, message) => {
  const { code, stderr } = await run("test/slow/classifier-accuracy.mjs", args);
  expect(code).toBe(64);
  expect(stderr).toMatch(message);
});

test("clamped neurons fire as recorded and agree with it as far as so few spikes can", async () => {
  const { stdout } = await run("scripts/clamped-ceiling.mjs", "--neurons 30 --trials 20");
  const figure = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1]);
  expect(stdout).toMatch(/^30 neurons driven by exactly their targets, 20 trials of each of 2 tasks/);
  expect(figure(/(\d\.\d+) Hz, recorded/) / figure(/recorded (\d\.\d+) Hz/)).toBeCloseTo(0.987, 2);
  expect(figure(/windows of \+-50 ms +(\d\.\d+)/)).toBeCloseTo(0.636, 2);
  expect(figure(/selectivity +(\d\.\d+)/)).toBeGreaterThan(0.85);
});
