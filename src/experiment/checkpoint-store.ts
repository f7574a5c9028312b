/**
 * The checkpoints of one run: numbered files, the newest and the one before it kept.
 *
 * Numbers only grow, so no moment exists in which a good file has lost its name: the new one appears by a rename, then
 * older ones than the previous go. A newest file that turns out damaged is set aside (`.damaged`) before training goes
 * on, so that the next write does not push out the good one.
 */
import { join } from "node:path";
import { dataError } from "../base/errors.ts";
import type { Checkpointable } from "../learning/rls/checkpointable.ts";
import { type CheckpointLabel, type OpenCheckpoint, openCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type FileSystem, listFolder, makeFolder, nodeFileSystem } from "./file-system.ts";

const pattern = /^checkpoint-(\d{6,})\.volley$/;
const kept = 2;

export interface CheckpointFile {
  readonly path: string;
  readonly number: number;
}

export class CheckpointStore {
  private readonly folder: string;
  private readonly fileSystem: FileSystem;

  constructor(folder: string, fileSystem: FileSystem = nodeFileSystem) {
    this.folder = folder;
    this.fileSystem = fileSystem;
  }

  /** Newest first. */
  async list(): Promise<CheckpointFile[]> {
    const files: CheckpointFile[] = [];
    for (const name of await listFolder(this.folder)) {
      const match = pattern.exec(name);
      if (match) files.push({ path: join(this.folder, name), number: Number(match[1]) });
    }
    return files.sort((a, b) => b.number - a.number);
  }

  /** Writes the next checkpoint and removes those older than the previous one. */
  async write(state: Checkpointable, label: CheckpointLabel): Promise<{ sha256: string; bytes: number; path: string }> {
    await makeFolder(this.folder);
    const existing = await this.list();
    const number = (existing[0]?.number ?? 0) + 1;
    const path = join(this.folder, `checkpoint-${String(number).padStart(6, "0")}.volley`);
    const consequence =
      existing.length === 0
        ? "No checkpoint exists yet; the run has to start again."
        : `The checkpoint before it is kept: ${existing[0].path}`;
    const written = await writeCheckpoint(path, state, { ...label, fileSystem: this.fileSystem, consequence });
    for (const old of existing.slice(kept - 1)) await this.fileSystem.remove(old.path);
    return { ...written, path };
  }

  /**
   * The newest whole checkpoint, or undefined when the run has none yet. Damaged ones are passed over with a message;
   * when all are damaged that is an error.
   *
   * @param options.setAside rename damaged files, for a run that will go on.
   */
  async openNewest(options: {
    onWarning(message: string): void;
    setAside: boolean;
  }): Promise<OpenCheckpoint | undefined> {
    const files = await this.list();
    let fault: unknown;
    for (const file of files) {
      try {
        return await openCheckpoint(file.path);
      } catch (error) {
        fault ??= error;
        options.onWarning(`${(error as Error).message}; trying the one before it`);
        if (options.setAside) await this.fileSystem.rename(file.path, `${file.path}.damaged`);
      }
    }
    if (fault === undefined) return undefined;
    throw dataError(`no usable checkpoint is left in ${this.folder}: ${(fault as Error).message}`, fault);
  }

  /** Removes what an earlier process left half written. */
  async removePartials(): Promise<void> {
    for (const name of await listFolder(this.folder)) {
      if (name.startsWith(".checkpoint-") && name.endsWith(".partial"))
        await this.fileSystem.remove(join(this.folder, name));
    }
  }
}
