/** Hashes of files, and the side file in which the hash of a downloaded file is remembered. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Checksum } from "./public-sets.ts";

/** Hash of a file or of what is packed in it, in hexadecimal; undefined when it cannot be unpacked. */
export async function hashOf(
  path: string,
  { algorithm, of }: Pick<Checksum, "algorithm" | "of">,
): Promise<string | undefined> {
  const hash = createHash(algorithm);
  const file = createReadStream(path);
  try {
    await (of === "file" ? pipeline(file, hash) : pipeline(file, createGunzip(), hash));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code?.startsWith("Z_")) return undefined;
    throw cause;
  }
  return hash.digest("hex");
}

/** `shd_train.h5.gz.sha256`, which `sha256sum --check` reads. */
export const sideFile = (path: string): string => `${path}.sha256`;

export async function rememberHash(path: string): Promise<void> {
  const hex = await hashOf(path, { algorithm: "sha256", of: "file" });
  await writeFile(sideFile(path), `${hex}  ${basename(path)}\n`);
}

/** What was remembered of a file; undefined when nothing was, or not in this form. */
export async function rememberedHash(path: string): Promise<Checksum | undefined> {
  const text = await readFile(sideFile(path), "utf8").catch(() => "");
  const hex = /^([0-9a-f]{64}) /.exec(text)?.[1];
  return hex === undefined ? undefined : { algorithm: "sha256", hex, of: "file" };
}
