/** Reads what `volley train` was given: a preset by name, a JSON file, or a JavaScript or TypeScript module. */
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import * as nodeModule from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { didYouMean, exitCode, UserError } from "../base/errors.ts";
import { allPresets } from "./presets.ts";
import { isFileConstant } from "./schema-words.ts";

export interface LoadedExperiment {
  /** Not checked yet; paths in it are absolute. */
  readonly value: unknown;
  /** What to call it in messages. */
  readonly source: string;
}

const extensions = [".json", ".js", ".mjs", ".ts", ".mts"];

export async function loadExperiment(given: string): Promise<LoadedExperiment> {
  if (Object.hasOwn(allPresets, given)) {
    return { value: structuredClone(allPresets[given].experiment), source: `preset "${given}"` };
  }
  const extension = extname(given);
  if (!existsSync(given)) {
    const names = Object.keys(allPresets);
    const looksLikeFile = extensions.includes(extension) || given.includes("/");
    throw new UserError(
      looksLikeFile
        ? `there is no experiment file ${given}; check the path`
        : `"${given}" is neither a preset nor a file${didYouMean(given, names) || ` — the presets are ${names.join(", ")}`}`,
      exitCode.noInput,
    );
  }
  const path = resolve(given);
  const value = extension === ".json" ? readJson(path, given) : await importModule(path, given, extension);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(
      `${given} holds no experiment: an object is needed, with keys such as "targets" and "learning"`,
    );
  }
  return { value: absolutePaths(value as Record<string, unknown>, dirname(path)), source: given };
}

function readJson(path: string, given: string): unknown {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = (cause as Error).message;
    const position = /position (\d+)/.exec(message);
    const line = position ? ` (line ${text.slice(0, Number(position[1])).split("\n").length})` : "";
    throw new UserError(`${given} is not valid JSON${line}: ${message}`, exitCode.usage, { cause });
  }
}

async function importModule(path: string, given: string, extension: string): Promise<unknown> {
  if (!extensions.includes(extension)) {
    throw new UserError(`${given} has the extension "${extension}"; an experiment is a file ${extensions.join(", ")}`);
  }
  let loaded: Record<string, unknown>;
  try {
    loaded = extension.endsWith("ts") ? await importTypeScript(path, given) : await import(pathToFileURL(path).href);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`${given} cannot be loaded: ${(cause as Error).message}`, exitCode.usage, { cause });
  }
  const value = loaded.default;
  if (value === undefined) {
    throw new UserError(`${given} has no default export; write: export default { name: "...", targets: {...} }`);
  }
  return typeof value === "function" ? value() : value;
}

/** Newer versions of Node read TypeScript themselves; older ones through the stripper of Node or the user's TypeScript. */
async function importTypeScript(path: string, given: string): Promise<Record<string, unknown>> {
  if ((process.features as { typescript?: unknown }).typescript) return import(pathToFileURL(path).href);
  const source = readFileSync(path, "utf8");
  const strip = (nodeModule as { stripTypeScriptTypes?: (code: string) => string }).stripTypeScriptTypes;
  const code = strip ? strip(source) : transpileWithUsersTypeScript(source, path);
  if (code === undefined) {
    throw new UserError(
      `${given} is TypeScript, which Node ${process.versions.node} cannot run; use Node 22.18 or newer, ` +
        "install typescript beside the file, or rename it to .mjs and drop the types",
      exitCode.unavailable,
    );
  }
  // Beside the original, so that its imports resolve as they stand.
  const temporary = join(dirname(path), `.volley-${process.pid}-${Date.now()}.mjs`);
  await writeFile(temporary, code);
  try {
    return await import(pathToFileURL(temporary).href);
  } finally {
    await rm(temporary, { force: true });
  }
}

function transpileWithUsersTypeScript(source: string, path: string): string | undefined {
  try {
    const typescript = nodeModule.createRequire(path)("typescript");
    const options = { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2022 };
    return typescript.transpileModule(source, { compilerOptions: options, fileName: path }).outputText;
  } catch {
    return undefined;
  }
}

/** Paths inside an experiment are relative to its file; the run may be resumed from anywhere, so make them absolute. */
export function absolutePaths(value: Record<string, unknown>, folder: string): Record<string, unknown> {
  const own = structuredClone(value);
  makeConstantsAbsolute(own, folder);
  if (own.kind === "classify") return absolutePathsOfClassifier(own, folder);
  const copy = own as {
    targets?: { file?: unknown };
    model?: { type?: unknown };
    static?: { rule?: { module?: unknown } } | null;
    plastic?: { rule?: { module?: unknown } };
  };
  if (isPath(copy.targets?.file)) copy.targets.file = resolve(folder, copy.targets.file);
  if (copy.model) makeAddress(copy.model, folder);
  for (const network of [copy.static, copy.plastic]) {
    if (isPath(network?.rule?.module)) network.rule.module = url(network.rule.module, folder);
  }
  return copy as Record<string, unknown>;
}

const isPath = (text: unknown): text is string => typeof text === "string" && text !== "";

const url = (text: string, folder: string): string =>
  /^[a-z]+:/.test(text) ? text : pathToFileURL(resolve(folder, text)).href;

/** A model of one's own, named by a path. */
function makeAddress(model: { type?: unknown }, folder: string): void {
  if (isPath(model.type) && /[/\\]|\.[mc]?[jt]s$/.test(model.type)) model.type = url(model.type, folder);
}

/** Files of constants, wherever they stand. */
function makeConstantsAbsolute(value: unknown, folder: string): void {
  if (typeof value !== "object" || value === null) return;
  if (isFileConstant(value)) {
    if (isPath(value.file)) (value as { file: string }).file = resolve(folder, value.file);
    return;
  }
  for (const item of Object.values(value)) makeConstantsAbsolute(item, folder);
}

function absolutePathsOfClassifier(value: Record<string, unknown>, folder: string): Record<string, unknown> {
  const copy = value as {
    data?: Record<string, unknown> & { reading?: Record<string, unknown> };
    network?: { layers?: unknown; readout?: { model?: { type?: unknown } } };
  };
  const places: [Record<string, unknown> | undefined, string][] = [
    [copy.data, "train"],
    [copy.data, "test"],
    [copy.data?.reading, "labels"],
    [copy.data?.reading, "testLabels"],
  ];
  for (const [owner, key] of places) {
    const path = owner?.[key];
    if (owner && isPath(path)) owner[key] = resolve(folder, path);
  }
  const layers = Array.isArray(copy.network?.layers) ? copy.network.layers : [];
  for (const { model } of [...layers, copy.network?.readout ?? {}]) if (model) makeAddress(model, folder);
  return copy as Record<string, unknown>;
}
