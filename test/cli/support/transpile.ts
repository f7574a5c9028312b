/**
 * Turns the sources into JavaScript that Node 20 runs, so that tests can start real processes with a fake engine,
 * whether or not `npm run build` has run and whether or not every room type-checks at this moment.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Returns a folder that looks like the repository, with `src` and `test/cli/support` as JavaScript; and its removal. */
export async function transpileRepository(): Promise<{ folder: string; remove(): void }> {
  const parent = join(root, "node_modules", ".cache");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "volley-cli-"));
  const transpile = async (path: string) => {
    const target = join(folder, relative(root, path).replace(/\.ts$/, ".js"));
    const { code } = await transformWithOxc(readFileSync(path, "utf8"), path, {
      target: "es2022",
      sourcemap: false,
      typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: "rewrite" },
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  };
  const sources = ["src", "test/cli/support"].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  await Promise.all(sources.map(transpile));
  writeFileSync(join(folder, "package.json"), readFileSync(join(root, "package.json")));
  symlinkSync(join(root, "examples"), join(folder, "examples"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
