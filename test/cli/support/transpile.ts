/**
 * Turns the sources into JavaScript that Node 20 runs, so that tests can start real processes with a fake engine,
 * whether or not `npm run build` has run and whether or not every room type-checks at this moment.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Returns a folder that looks like the repository, with `src` and `test/cli/support` as JavaScript; and its removal. */
export function transpileRepository(): { folder: string; remove(): void } {
  const parent = join(root, "node_modules", ".cache");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "volley-cli-"));
  for (const part of ["src", "test/cli/support"]) {
    for (const entry of readdirSync(join(root, part), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.endsWith(".test.ts")) continue;
      const path = join(entry.parentPath, entry.name);
      const target = join(folder, relative(root, path).replace(/\.ts$/, ".js"));
      mkdirSync(dirname(target), { recursive: true });
      const compilerOptions: ts.CompilerOptions = {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      };
      writeFileSync(
        target,
        ts.transpileModule(readFileSync(path, "utf8"), { compilerOptions, fileName: path }).outputText,
      );
    }
  }
  writeFileSync(join(folder, "package.json"), readFileSync(join(root, "package.json")));
  symlinkSync(join(root, "examples"), join(folder, "examples"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
