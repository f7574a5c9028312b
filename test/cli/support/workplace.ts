/** A folder for the tests of a file, and the command line in it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { FakeSettings } from "./fake-trainer.ts";
import { inProcess } from "./in-process.ts";
import { type CommandLine, commandLine, type Ended, type Running, type StartOptions } from "./processes.ts";

/** Words of a command line, or all of them with spaces between. */
type Words = string | readonly string[];
const wordsOf = (args: Words): readonly string[] =>
  typeof args !== "string" ? args : args === "" ? [] : args.split(" ");

export class Workplace {
  readonly #prefix: string;
  readonly #engine: StartOptions["fake"];
  readonly #folders: string[] = [];
  #line: CommandLine | null = null;

  /** Use `workplace`. */
  constructor(prefix: string, engine: StartOptions["fake"]) {
    this.#prefix = prefix;
    this.#engine = engine;
  }

  renew(): void {
    this.#folders.push(mkdtempSync(join(tmpdir(), this.#prefix)));
  }

  async openLine(): Promise<void> {
    this.#line = await commandLine();
  }

  remove(): void {
    this.#line?.remove();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  /** The folder, or what is called so in it. */
  path(...names: string[]): string {
    return join(this.#folders[this.#folders.length - 1], ...names);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** Objects become JSON. */
  write(name: string, content: string | Uint8Array | object): void {
    const plain = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(this.path(name), plain ? content : JSON.stringify(content));
  }

  /** A process of its own. */
  start(args: Words, options: StartOptions = {}): Running {
    if (this.#line === null) throw new Error("this workplace starts no processes");
    return this.#line.start(wordsOf(args), { cwd: this.path(), fake: this.#engine, ...options });
  }

  /** The same to its end. */
  run(args: Words, fake: StartOptions["fake"] = this.#engine): Promise<Ended> {
    return this.start(args, { fake }).ended;
  }

  /** Without a process: in this one. */
  here(args: Words, fake: FakeSettings = {}): Promise<Ended> {
    return inProcess(wordsOf(args), this.path(), fake);
  }
}

/**
 * To be called at the top of a file of tests.
 * @param prefix of the folder's name
 * @param options.folder a fresh one for every test (default), or one for all tests of the file
 * @param options.engine of processes: the one that learns nothing (default) or the one that is shipped
 * @param options.processes false: none is ever started
 */
export function workplace(
  prefix: string,
  options: { folder?: "test" | "file"; engine?: StartOptions["fake"]; processes?: boolean } = {},
): Workplace {
  const { folder = "test", engine = {}, processes = true } = options;
  const place = new Workplace(prefix, engine);
  if (processes) beforeAll(() => place.openLine());
  (folder === "test" ? beforeEach : beforeAll)(() => place.renew());
  afterAll(() => place.remove());
  return place;
}
