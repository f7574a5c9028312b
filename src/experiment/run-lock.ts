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
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) } satisfies Owner);
  const own = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
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
      await removeIfStale(path, own);
    }
    throw new UserError(`cannot lock the run: ${path} keeps changing hands; try again`, exitCode.unavailable);
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes the lock of a process that is gone; refuses when the owner lives or cannot be asked. */
async function removeIfStale(path: string, own: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return; // released in the meantime
  }
  let owner: Owner | undefined;
  try {
    owner = JSON.parse(text) as Owner;
  } catch {
    // An unreadable lock can only be damage: locks appear whole.
  }
  if (owner !== undefined && owner.host !== hostname()) {
    throw new UserError(
      `this run is in use by process ${owner.pid} on ${owner.host}; if that is no longer so, delete ${path}`,
      exitCode.unavailable,
    );
  }
  if (owner !== undefined && isAlive(owner)) {
    throw new UserError(
      `this run is in use by process ${owner.pid}; wait for it, or stop it with: kill ${owner.pid}`,
      exitCode.unavailable,
    );
  }
  // Two processes may get here at once. Moving the file away is atomic; who moved a fresh lock puts it back.
  const aside = `${own}.stale`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== text) await link(aside, path).catch(() => {});
  } catch {
    return;
  } finally {
    await rm(aside, { force: true });
  }
}

function releaseLock(path: string, mine: string): void {
  try {
    if (readFileSync(path, "utf8") === mine) rmSync(path, { force: true });
  } catch {
    // Gone already: nothing to release.
  }
}
