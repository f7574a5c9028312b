/**
 * Keeps two processes from writing one run. The lock is a file with the owner's process id, host and the time that
 * process started; a lock whose owner is gone is taken over.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { exitCode, UserError } from "../base/errors.ts";
import { writeFailed } from "./file-system.ts";

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Start of the process in clock ticks since boot where the system tells, so that a reused id is noticed. */
  readonly started: string | null;
  /** Tells apart locks of one process. */
  readonly nonce: string;
}

function startOf(pid: number): string | null {
  try {
    // Field 22; the command in field 2 may hold spaces, so count from its closing parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const started = startOf(owner.pid);
  return owner.started === null || started === null || started === owner.started;
}

export interface RunLock {
  release(): void;
}

/** @param path the lock file. */
export async function lockRun(path: string): Promise<RunLock> {
  const nonce = randomBytes(4).toString("hex");
  const owner: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid), nonce };
  const mine = JSON.stringify(owner);
  const own = `${path}.${process.pid}.${nonce}`;
  try {
    await writeFile(own, mine);
  } catch (cause) {
    throw writeFailed(path, cause);
  }
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      try {
        await link(own, path);
        return { release: () => releaseLock(path, mine) };
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw writeFailed(path, cause);
      }
      const stale = await readStale(path);
      if (stale === null) continue; // released in the meantime
      if (await takeOver(path, stale, own)) return { release: () => releaseLock(path, mine) };
    }
    throw new UserError(`cannot lock the run: ${path} keeps changing hands; try again`, exitCode.unavailable);
  } finally {
    await rm(own, { force: true });
  }
}

/** What a lock whose owner is gone says, null without a lock; refuses when the owner lives or cannot be asked. */
async function readStale(path: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return null;
  }
  let owner: Owner;
  try {
    owner = JSON.parse(text) as Owner;
  } catch {
    return text; // can only be damage: locks appear whole
  }
  if (owner.host !== hostname()) {
    throw new UserError(
      `this run is in use by process ${owner.pid} on ${owner.host}; if that is no longer so, delete ${path}`,
      exitCode.unavailable,
    );
  }
  if (isAlive(owner)) {
    throw new UserError(
      `this run is in use by process ${owner.pid}; wait for it, or stop it with: kill ${owner.pid}`,
      exitCode.unavailable,
    );
  }
  return text;
}

/**
 * Puts our lock in the place of a stale one. Several processes may find the same stale lock; who replaces it must hold a
 * lock on replacing, and look again: a lock that is stale can then only be changed by its holder, and the place is never
 * empty in between.
 */
async function takeOver(path: string, stale: string, own: string): Promise<boolean> {
  const claim = await lockRun(`${path}.claim`);
  try {
    if ((await readFile(path, "utf8").catch(() => null)) !== stale) return false;
    await rename(own, path);
    return true;
  } finally {
    claim.release();
  }
}

function releaseLock(path: string, mine: string): void {
  try {
    if (readFileSync(path, "utf8") === mine) rmSync(path, { force: true });
  } catch {
    // Gone already: nothing to release.
  }
}
