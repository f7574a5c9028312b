/** Models from a user's own file. */
import { exitCode, UserError } from "../base/errors.ts";
import { Expression } from "../expression/node.ts";
import { defineModel, type Model, type ModelDefinition } from "./define.ts";
import { builtInModel, isModuleAddress } from "./resolve.ts";

function importProblem(url: string, error: unknown): UserError {
  const reason = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: string } | null)?.code;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return new UserError(
      `the model file ${url} is TypeScript, which this Node cannot load; use Node 22.18 or newer, or compile it to .js`,
      exitCode.unavailable,
      { cause: error },
    );
  }
  const missing = code === "ERR_MODULE_NOT_FOUND" || code === "ENOENT";
  return new UserError(
    `the model file ${url} could not be loaded: ${reason}`,
    missing ? exitCode.noInput : exitCode.usage,
    { cause: error },
  );
}

/**
 * The model that a module exports by default: what `defineModel` returned, or a definition, which is then checked here.
 * @param url absolute (`file:`, `https:`, `blob:`, `data:`); resolve relative paths before
 * @throws UserError when the module cannot be loaded or its default export is no model
 */
export async function loadModel(url: string): Promise<Model> {
  let module: { default?: unknown };
  try {
    module = await import(/* @vite-ignore */ url);
  } catch (error) {
    // A definition that is wrong says so itself, while the module runs.
    throw error instanceof UserError ? error : importProblem(url, error);
  }
  const exported = module.default;
  if (exported === undefined) {
    throw new UserError(`the model file ${url} has no default export; write: export default defineModel({ ... })`);
  }
  if (typeof exported !== "object" || exported === null) {
    throw new UserError(
      `the default export of ${url} is a ${typeof exported}, not a model; export what defineModel returns`,
    );
  }
  if ((exported as Partial<Model>).kind === "model") {
    const model = exported as Model;
    if (model.margin instanceof Expression) return model;
    throw new UserError(
      `the model in ${url} was made by another copy of Volley; import "volley" from the installation that runs it`,
    );
  }
  return defineModel(exported as ModelDefinition<string, string>);
}

/** The built-in model of that name, or the one a module exports. */
export async function findModel(type: string): Promise<Model> {
  return isModuleAddress(type) ? loadModel(type) : builtInModel(type);
}
