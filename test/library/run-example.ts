/** Runs an example of the README as a user does: in a folder of its own, where the built library is installed. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * @param shorter pieces of the example, each of which it has once, and what takes their place: as much training as the
 *   test needs. All the rest is run to the letter.
 */
export async function runExample(
  name: string,
  shorter: readonly (readonly [piece: string, replacement: string])[],
): Promise<{ stdout: string; stderr: string }> {
  let program = readFileSync(join(root, "examples", name), "utf8");
  for (const [piece, replacement] of shorter) {
    const [before, after, ...more] = program.split(piece);
    if (after === undefined || more.length > 0) throw new Error(`${name} does not have "${piece}" once`);
    program = before + replacement + after;
  }
  const folder = mkdtempSync(join(tmpdir(), "volley-example-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules", "volley"));
    symlinkSync(join(root, "examples", "data"), join(folder, "data"));
    writeFileSync(join(folder, name), program);
    return await promisify(execFile)(process.execPath, [join(folder, name)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
