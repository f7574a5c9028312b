import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gzFile } from "../../../test/data/make-labelled-files.ts";
import { exitCode } from "../../base/errors.ts";
import { type DownloadOptions, download, fetchMd5List } from "./download.node.ts";
import { type Checksum, publicSets } from "./public-sets.ts";

const content = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919 + (i >> 8)) % 256);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const right: Checksum = { algorithm: "sha256", hex: sha256(content), of: "file" };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let base: string;
let folder: string;
let path: string;
/** Ranges asked for, in order; undefined for the whole file. */
let asked: (string | undefined)[];
let answers: Answer[];

beforeEach(async () => {
  asked = [];
  answers = [];
  folder = mkdtempSync(join(tmpdir(), "volley-download-"));
  path = join(folder, "data", "set.h5.gz");
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    (answers.length > 1 ? answers.shift()! : answers[0])(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

const get = (options: Partial<DownloadOptions> = {}) =>
  download({ urls: [`${base}/set.h5.gz`], path, pauseMs: 1, silenceMs: 2000, ...options });

/** Serves the file as good servers do; with `breakAfter` the connection breaks after so many bytes. */
function serve({
  etag = '"v1"' as string | null,
  bytes = content as Uint8Array,
  breakAfter = Number.POSITIVE_INFINITY,
} = {}): Answer {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN);
    const same = etag !== null && request.headers["if-range"] === etag;
    if (etag !== null) response.setHeader("etag", etag);
    if (same && start >= bytes.length) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    const from = same && Number.isFinite(start) ? start : 0;
    const body = bytes.subarray(from);
    response.setHeader("content-length", body.length);
    if (from > 0) response.writeHead(206, { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
    if (body.length <= breakAfter) response.end(body);
    else response.write(body.subarray(0, breakAfter), () => setTimeout(() => response.destroy(), 20));
  };
}

/** Whether the file has these bytes: `toEqual` would take a second for what `equals` does at once. */
const isSaved = (bytes: Uint8Array) => readFileSync(path).equals(bytes);

describe("download", () => {
  test("the whole file, its progress, and its hash in a side file", async () => {
    answers = [serve()];
    const progress: [number, number | undefined][] = [];
    const state = await get({ checksum: right, onProgress: (bytes, total) => progress.push([bytes, total]) });
    expect(state).toBe("downloaded");
    expect(isSaved(content)).toBe(true);
    expect(progress.at(-1)).toEqual([200_000, 200_000]);
    expect(readdirSync(join(folder, "data")).sort()).toEqual(["set.h5.gz", "set.h5.gz.sha256"]);
    expect(readFileSync(`${path}.sha256`, "utf8")).toBe(`${right.hex}  set.h5.gz\n`);
  });

  test("a broken connection is continued where it broke, as often as it gets further", async () => {
    answers = [
      serve({ breakAfter: 40_000 }),
      serve({ breakAfter: 50_000 }),
      serve({ breakAfter: 60_000 }),
      serve({ breakAfter: 1000 }),
      serve(),
    ];
    await get({ checksum: right });
    expect(isSaved(content)).toBe(true);
    expect(asked).toHaveLength(5);
    expect(asked[0]).toBeUndefined();
    const starts = asked.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
    expect(starts).toEqual(starts.slice().sort((a, b) => a - b));
    expect(starts[0]).toBeGreaterThan(0);
  });

  test("a later call continues what an earlier one left", async () => {
    const broken: Answer = (_, response) => void response.destroy();
    answers = [serve({ breakAfter: 70_000 }), broken];
    await expect(get()).rejects.toThrow(
      new RegExp(
        `the download failed: ${base}/set.h5.gz \\(the connection broke\\). 70000 bytes are kept: the same command continues there. Or download it by hand and put it at ${path}`,
      ),
    );
    expect(existsSync(path)).toBe(false);
    asked = [];
    answers = [serve()];
    await get({ checksum: right });
    expect(asked).toEqual(["bytes=70000-"]);
    expect(isSaved(content)).toBe(true);
  });

  test("everything was there, only its name was missing", async () => {
    answers = [serve({ breakAfter: 199_999 }), (_, response) => void response.destroy()];
    await expect(get()).rejects.toThrow(/199999 bytes are kept/);
    writeFileSync(`${path}.partial`, content);
    answers = [serve()];
    await get({ checksum: right });
    expect(asked.at(-1)).toBe("bytes=200000-");
    expect(isSaved(content)).toBe(true);
  });

  test("a file that changed meanwhile, or a server without versions, starts anew", async () => {
    const other = content.map((byte) => byte ^ 1);
    answers = [serve({ breakAfter: 70_000 }), serve({ etag: '"v2"', bytes: other })];
    await get();
    expect(isSaved(other)).toBe(true);
    rmSync(path);
    asked = [];
    answers = [serve({ etag: null, breakAfter: 70_000 }), serve({ etag: null })];
    await get();
    expect(asked).toEqual([undefined, undefined]);
    expect(isSaved(content)).toBe(true);
  });

  test("a wrong checksum: thrown away, both sums told", async () => {
    answers = [serve()];
    const wrong: Checksum = { algorithm: "md5", hex: "0".repeat(32), of: "file" };
    const md5 = createHash("md5").update(content).digest("hex");
    await expect(get({ checksum: wrong })).rejects.toMatchObject({
      exitCode: exitCode.data,
      message: expect.stringMatching(
        new RegExp(`is not the file expected: its MD5 is ${md5} instead of 0{32}. It was thrown away`),
      ),
    });
    expect(readdirSync(join(folder, "data"))).toEqual([]);
  });

  test("a checksum of what is packed", async () => {
    const unpacked: Checksum = { ...right, of: "unpacked" };
    answers = [serve({ bytes: gzFile(content) })];
    await get({ checksum: unpacked });
    expect(isSaved(gzFile(content))).toBe(true);
    expect(await get({ checksum: unpacked })).toBe("present");
    rmSync(path);
    answers = [serve()];
    await expect(get({ checksum: unpacked })).rejects.toThrow(
      /its SHA-256 \(unpacked\) is not to be had, for it cannot be unpacked/,
    );
  });

  test("a file that is there is checked, against what was remembered if nothing better is known", async () => {
    answers = [serve()];
    await get();
    asked = [];
    expect(await get()).toBe("present");
    expect(await get({ checksum: right })).toBe("present");
    expect(asked).toEqual([]);
    writeFileSync(path, content.subarray(1));
    await expect(get()).rejects.toThrow(
      /is there, but it is not the right file: its SHA-256 is not the one remembered in .*\.sha256/,
    );
    await expect(get({ checksum: right })).rejects.toThrow(/is not the one expected .*Remove it and download it again/);
  });

  test("404 and other answers: the next place, else the address and where to put the file by hand", async () => {
    answers = [(_, response) => void response.writeHead(404).end("gone"), serve()];
    await get({ urls: [`${base}/old`, `${base}/set.h5.gz`], checksum: right });
    expect(isSaved(content)).toBe(true);
    rmSync(path);
    answers = [(_, response) => void response.writeHead(404).end()];
    asked = [];
    await expect(get()).rejects.toMatchObject({
      exitCode: exitCode.unavailable,
      message: `the download failed: ${base}/set.h5.gz (it answers 404 (Not Found)). Or download it by hand and put it at ${path}`,
    });
    expect(asked).toHaveLength(1);
  });

  test("redirections are followed, but not in circles", async () => {
    answers = [(_, response) => void response.writeHead(302, { location: "/elsewhere" }).end(), serve()];
    await get({ checksum: right });
    rmSync(path);
    answers = [(_, response) => void response.writeHead(302, { location: "/again" }).end()];
    await expect(get()).rejects.toThrow(/more than 8 redirections/);
  });

  test("no network: said so, with the address and the path", async () => {
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, "127.0.0.1", done));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    await expect(get({ urls: [`http://127.0.0.1:${port}/set.h5.gz`] })).rejects.toMatchObject({
      exitCode: exitCode.unavailable,
      message:
        `the network is not reachable from here: http://127.0.0.1:${port}/set.h5.gz (it refuses connections). ` +
        `Or download it by hand and put it at ${path}`,
    });
  });

  test("a server that falls silent is given up", async () => {
    answers = [(_, response) => void response.writeHead(200, { "content-length": "9" }).write("abc")];
    await expect(get({ silenceMs: 50 })).rejects.toThrow(/the download failed/);
    expect(asked).toHaveLength(4);
  });

  test("a folder that cannot be written to", async () => {
    answers = [serve()];
    writeFileSync(join(folder, "data"), "a file");
    await expect(get()).rejects.toMatchObject({
      exitCode: exitCode.io,
      message: expect.stringMatching(/cannot write .*set.h5.gz: the system answers E\w+; choose another folder/),
    });
  });
});

test("a publisher's list of checksums, or none", async () => {
  const md5 = "d41d8cd98f00b204e9800998ecf8427e";
  answers = [
    (_, response) => void response.end(`${md5}  shd_train.h5.gz\n${md5.toUpperCase()} *./ssc_test.h5.gz\nnot a line\n`),
  ];
  expect(await fetchMd5List(`${base}/md5sums.txt`)).toEqual(
    new Map([
      ["shd_train.h5.gz", md5],
      ["ssc_test.h5.gz", md5],
    ]),
  );
  answers = [(_, response) => void response.writeHead(500).end()];
  expect(await fetchMd5List(`${base}/md5sums.txt`)).toBeUndefined();
  answers = [(_, response) => void response.destroy()];
  expect(await fetchMd5List(`${base}/md5sums.txt`)).toBeUndefined();
});

test("checksums of the public sets have the length of their kind, and every file has a place", () => {
  for (const { files } of Object.values(publicSets)) {
    for (const { urls, checksum } of files) {
      expect(urls.length).toBeGreaterThan(0);
      for (const url of urls) expect(new URL(url).protocol).toMatch(/^https?:$/);
      if (checksum !== undefined)
        expect(checksum.hex).toMatch(checksum.algorithm === "md5" ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{64}$/);
    }
  }
});
