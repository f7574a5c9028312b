/** Files without which cells cannot be trained, looked for before the first of them starts. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { exitCode, UserError } from "../../base/errors.ts";
import { downloadCommand } from "../../data/labelled/public-sets.ts";
import type { Cell } from "./cells.ts";

interface Files {
  readonly data?: { readonly train?: unknown; readonly test?: unknown };
  readonly targets?: { readonly file?: unknown };
}

const filesOf = ({ experiment }: Cell): string[] => {
  const { data, targets } = experiment as Files;
  return [data?.train, data?.test, targets?.file].filter((path) => typeof path === "string");
};

/** @throws UserError when none of the cells can be trained for want of one file, with how to get it where that is known */
export function refuseMissingFiles(cells: readonly Cell[]): void {
  const missing = cells.map((cell) => filesOf(cell).find((path) => !existsSync(path)));
  const first = missing.find((path) => path !== undefined);
  if (first === undefined || missing.includes(undefined)) return;
  const command = downloadCommand(relative("", first));
  throw new UserError(
    `there is no file ${first}, and no cell of the sweep can be trained without it` +
      `${command === null ? "; check the path" : `; get it with: ${command}`}, or name your files by --data and --test`,
    exitCode.noInput,
  );
}
