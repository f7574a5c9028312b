import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../base/errors.ts";
import type { Checkpointable, StateSection } from "../learning/rls/checkpointable.ts";
import { openCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import { type FileSystem, nodeFileSystem, type OutputFile } from "./file-system.ts";

/** Sections of bytes that count up, so that a misplaced byte shows. */
class Counting implements Checkpointable {
  scalars: Record<string, unknown> = { iteration: 3, nested: { b: 1, a: [1, 2] } };
  readonly data = new Map<string, Uint8Array>();

  constructor(
    readonly sections: StateSection[],
    fill = 1,
  ) {
    for (const { name, items, bytesPerItem } of sections) {
      const bytes = new Uint8Array(items * bytesPerItem);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (fill * (i + 1)) % 251;
      this.data.set(name, bytes);
    }
  }
  stateScalars = async () => this.scalars;
  stateSections = async ({ withP }: { withP: boolean }) => this.sections.filter(({ name }) => withP || name !== "P");
  async readSection(name: string, from: number, to: number) {
    const size = this.size(name);
    return (this.data.get(name) as Uint8Array).slice(from * size, to * size);
  }
  async restoreScalars(scalars: Record<string, unknown>) {
    this.scalars = scalars;
  }
  async writeSection(name: string, from: number, bytes: Uint8Array) {
    (this.data.get(name) as Uint8Array).set(bytes, from * this.size(name));
  }
  private size(name: string) {
    return this.sections.find((section) => section.name === name)?.bytesPerItem as number;
  }
}

const small: StateSection[] = [
  { name: "v", items: 7, bytesPerItem: 4 },
  { name: "empty", items: 0, bytesPerItem: 8 },
  { name: "P", items: 3, bytesPerItem: 100 },
];
const options = { kind: "rls", fingerprint: "f", iteration: 3, withP: true } as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "volley-checkpoint-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("one file", () => {
  test("comes back byte for byte, also in pieces, with and without P", async () => {
    const large: StateSection[] = [
      { name: "w", items: 5000, bytesPerItem: 4001 }, // 20 MB: three pieces, the last one partial
      { name: "P", items: 2, bytesPerItem: 9_000_000 }, // items larger than a piece
    ];
    for (const [sections, withP] of [
      [small, true],
      [large, true],
      [large, false],
    ] as const) {
      const path = join(folder, "c.volley");
      const source = new Counting(sections as StateSection[]);
      const { bytes, sha256 } = await writeCheckpoint(path, source, { ...options, withP });
      expect(statSync(path).size).toBe(bytes);
      const opened = await openCheckpoint(path);
      expect(opened).toMatchObject({ sha256, bytes, header: { iteration: 3, fingerprint: "f", withP } });
      const target = new Counting(sections as StateSection[], 0);
      await opened.restore(target);
      await opened.close();
      expect(target.scalars).toEqual(source.scalars);
      for (const { name } of await source.stateSections({ withP })) {
        expect(Buffer.compare(target.data.get(name) as Uint8Array, source.data.get(name) as Uint8Array)).toBe(0);
      }
    }
  });

  test("the format is what the first paragraph of checkpoint.ts says", async () => {
    const path = join(folder, "c.volley");
    const { sha256 } = await writeCheckpoint(path, new Counting(small), options);
    const bytes = readFileSync(path);
    expect(bytes.subarray(0, 8).toString()).toBe("VOLLEYCK");
    expect(bytes.readUInt32LE(8)).toBe(1);
    const header = JSON.parse(bytes.subarray(16, 16 + bytes.readUInt32LE(12)).toString());
    expect(header.sections[2].offset).toBe(bytes.length - 32 - 300);
    expect(createHash("sha256").update(bytes.subarray(0, -32)).digest("hex")).toBe(sha256);
    expect(bytes.subarray(-32).toString("hex")).toBe(sha256);
  });

  test("equal state gives equal files, whatever the order of keys", async () => {
    const one = new Counting(small);
    const two = new Counting(small);
    two.scalars = { nested: { a: [1, 2], b: 1 }, iteration: 3 };
    const first = await writeCheckpoint(join(folder, "1"), one, options);
    const second = await writeCheckpoint(join(folder, "2"), two, options);
    expect(second).toEqual(first);
    expect(readFileSync(join(folder, "1")).equals(readFileSync(join(folder, "2")))).toBe(true);
  });

  test("every changed byte and every shorter length is noticed", async () => {
    const path = join(folder, "c.volley");
    await writeCheckpoint(path, new Counting(small), options);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      await expect(openCheckpoint(path), `byte ${at}`).rejects.toThrow(UserError);
    }
    for (let length = whole.length - 1; length >= 0; length -= 7) {
      writeFileSync(path, whole.subarray(0, length));
      await expect(openCheckpoint(path), `length ${length}`).rejects.toThrow(/is damaged/);
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.from([0])]));
    await expect(openCheckpoint(path)).rejects.toThrow(/is damaged/);
  });

  test("a network of another shape is refused in words", async () => {
    const path = join(folder, "c.volley");
    await writeCheckpoint(path, new Counting(small), options);
    const opened = await openCheckpoint(path);
    const other = new Counting([{ name: "v", items: 8, bytesPerItem: 4 }]);
    await expect(opened.restore(other)).rejects.toThrow(
      "belongs to another network: it holds v 7 x 4, empty 0 x 8, P 3 x 100, but the experiment needs v 8 x 4",
    );
    await opened.close();
  });
});

/** The real file system, in which the `failAt`-th operation of a kind fails. */
function failing(kind: keyof FileSystem | "write" | "sync", code: string): FileSystem {
  const error = () => Object.assign(new Error(code), { code });
  const wrap = (file: OutputFile): OutputFile => ({
    write: async (bytes) => {
      if (kind === "write") {
        await file.write(bytes.subarray(0, bytes.length >> 1)); // half a write, as a full disk does
        throw error();
      }
      return file.write(bytes);
    },
    sync: async () => {
      if (kind === "sync") throw error();
      return file.sync();
    },
    close: () => file.close(),
  });
  return {
    ...nodeFileSystem,
    create: async (path) => {
      if (kind === "create") throw error();
      return wrap(await nodeFileSystem.create(path));
    },
    rename: async (from, to) => {
      if (kind === "rename") throw error();
      return nodeFileSystem.rename(from, to);
    },
  };
}

describe("the checkpoints of a run", () => {
  test("the newest two are kept, the newest is opened", async () => {
    const store = new CheckpointStore(folder);
    for (let iteration = 1; iteration <= 4; iteration++) {
      await store.write(new Counting(small, iteration), { ...options, iteration });
    }
    expect(readdirSync(folder).sort()).toEqual(["checkpoint-000003.volley", "checkpoint-000004.volley"]);
    const opened = await store.openNewest({ onWarning: () => {}, setAside: false });
    expect(opened?.header.iteration).toBe(4);
    await opened?.close();
  });

  test("a damaged newest one gives way to the one before, and does not push it out", async () => {
    const store = new CheckpointStore(folder);
    for (const iteration of [1, 2]) await store.write(new Counting(small), { ...options, iteration });
    truncateSync(join(folder, "checkpoint-000002.volley"), 100);
    const warnings: string[] = [];
    const opened = await store.openNewest({ onWarning: (message) => warnings.push(message), setAside: true });
    expect(opened?.header.iteration).toBe(1);
    await opened?.close();
    expect(warnings).toEqual([
      expect.stringMatching(/checkpoint-000002.volley is damaged: .*; trying the one before it/),
    ]);
    await store.write(new Counting(small), { ...options, iteration: 2 });
    expect((await store.list()).map(({ number }) => number)).toEqual([2, 1]);
  });

  test("none yet is not an error; all damaged is one, exit code 65", async () => {
    const store = new CheckpointStore(join(folder, "none"));
    expect(await store.openNewest({ onWarning: () => {}, setAside: false })).toBeUndefined();
    writeFileSync(join(folder, "checkpoint-000001.volley"), "x");
    const opening = new CheckpointStore(folder).openNewest({ onWarning: () => {}, setAside: false });
    await expect(opening).rejects.toMatchObject({
      exitCode: 65,
      message: expect.stringContaining("no usable checkpoint"),
    });
  });

  test.each(["create", "write", "sync", "rename"] as const)("when %s fails the old one survives", async (kind) => {
    await new CheckpointStore(folder).write(new Counting(small), options);
    const before = readFileSync(join(folder, "checkpoint-000001.volley"));
    const store = new CheckpointStore(folder, failing(kind, kind === "sync" ? "EIO" : "ENOSPC"));
    await expect(store.write(new Counting(small), options)).rejects.toMatchObject({
      name: "UserError",
      exitCode: 74,
      message: expect.stringMatching(
        /cannot write .*: (the disk is full|the disk reported an error).* is kept: .*000001/,
      ),
    });
    expect(readdirSync(folder)).toEqual(["checkpoint-000001.volley"]);
    expect(readFileSync(join(folder, "checkpoint-000001.volley")).equals(before)).toBe(true);
  });

  test("a trainer's own fault is not dressed up as a full disk, and leaves nothing behind", async () => {
    const broken = new Counting(small);
    broken.readSection = async () => new Uint8Array(1);
    await expect(new CheckpointStore(folder).write(broken, options)).rejects.toThrow(
      "section v: 1 bytes for items 0 to 7",
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});
