/**
 * Downloads that can be interrupted: what has arrived is kept beside the file as `.partial` and continued, also after a
 * broken connection; only a whole file whose checksum is right gets its name.
 */

import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dataError, exitCode, UserError } from "../../base/errors.ts";
import { hashOf, rememberedHash, rememberHash, sideFile } from "./checksum.node.ts";
import type { Checksum } from "./public-sets.ts";

export interface DownloadOptions {
  /** The same file in several places: the next is tried when one cannot be reached or has it no longer. */
  readonly urls: readonly string[];
  /** Where the file shall be. */
  readonly path: string;
  /** What it must be. Default: what was remembered when it was first downloaded, if it was. */
  readonly checksum?: Checksum;
  /** Bytes that are there, and in all, if the server says. */
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
  /** A connection that is silent for longer is given up. Default 60 000. */
  readonly silenceMs?: number;
  /** Before the first repeated attempt; doubles with every further one. Default 1000. */
  readonly pauseMs?: number;
}

/** Attempts in a row that bring nothing new. */
const mostAttempts = 4;
const mostRedirects = 8;

/** A place that will not give the file, however often it is asked. */
class Refusal extends Error {}

function request(url: string, headers: Record<string, string>, silenceMs: number): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const get = url.startsWith("https:") ? getHttps : getHttp;
    const sent = get(url, { headers: { "user-agent": "volley", "accept-encoding": "identity", ...headers } }, done);
    sent.on("error", fail);
    sent.setTimeout(silenceMs, () => sent.destroy(new Error(`no answer for ${silenceMs / 1000} s`)));
  });
}

async function follow(url: string, headers: Record<string, string>, silenceMs: number): Promise<IncomingMessage> {
  let place = url;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const response = await request(place, headers, silenceMs);
    const { statusCode = 0 } = response;
    const { location } = response.headers;
    if (statusCode < 300 || statusCode >= 400 || location === undefined) return response;
    response.destroy();
    place = new URL(location, place).href;
  }
  throw new Refusal(`more than ${mostRedirects} redirections`);
}

/** What must not have changed for a continued download to be one file. */
interface PartialState {
  readonly url: string;
  readonly validator: string;
}

class Download {
  readonly #options: DownloadOptions;
  readonly #url: string;
  readonly #partial: string;
  readonly #state: string;

  constructor(options: DownloadOptions, url: string) {
    this.#options = options;
    this.#url = url;
    this.#partial = `${options.path}.partial`;
    this.#state = `${options.path}.partial.json`;
  }

  async #size(): Promise<number> {
    return stat(this.#partial).then(
      ({ size }) => size,
      () => 0,
    );
  }

  /** The validator of the bytes that are there, when they are of this place and it gave one. */
  async #validator(): Promise<string | undefined> {
    const text = await readFile(this.#state, "utf8").catch(() => "{}");
    try {
      const { url, validator } = JSON.parse(text) as Partial<PartialState>;
      return url === this.#url ? validator : undefined;
    } catch {
      return undefined;
    }
  }

  /** Runs attempts until all is there. Throws what went wrong last when several in a row brought nothing. */
  async run(): Promise<void> {
    for (let failures = 0, had = await this.#size(); ; ) {
      try {
        if (await this.#attempt()) return;
      } catch (error) {
        const have = await this.#size();
        failures = have > had ? 1 : failures + 1;
        had = have;
        // A server that cannot be reached at all now will not be in a second.
        const unreachable = have === 0 && isUnreachable(error);
        if (error instanceof Refusal || isWriteError(error) || unreachable || failures >= mostAttempts) throw error;
        await sleep((this.#options.pauseMs ?? 1000) * 2 ** (failures - 1));
      }
    }
  }

  /** One connection; true when the file is whole afterwards. */
  async #attempt(): Promise<boolean> {
    const { silenceMs = 60_000 } = this.#options;
    const validator = await this.#validator();
    const have = validator === undefined ? 0 : await this.#size();
    const headers: Record<string, string> = {};
    if (have > 0) {
      headers.range = `bytes=${have}-`;
      headers["if-range"] = validator!;
    }
    const response = await follow(this.#url, headers, silenceMs);
    try {
      const continued = response.statusCode === 206 && rangeStart(response) === have;
      if (response.statusCode === 416) {
        // Nothing follows what is there: it is whole, or of another file.
        if (response.headers["content-range"] === `bytes */${have}`) return true;
        await this.#forget();
        return false;
      }
      if (response.statusCode !== 200 && !continued) throw new Refusal(refusalText(response));
      await this.#remember(response);
      await this.#receive(response, continued ? have : 0);
      return true;
    } finally {
      response.destroy();
    }
  }

  async #remember({ headers }: IncomingMessage): Promise<void> {
    const strong = headers.etag?.startsWith("W/") ? undefined : headers.etag;
    const validator = strong ?? headers["last-modified"];
    const state: PartialState | Record<string, never> = validator === undefined ? {} : { url: this.#url, validator };
    await writeFile(this.#state, `${JSON.stringify(state)}\n`);
  }

  async #receive(response: IncomingMessage, start: number): Promise<void> {
    const length = Number(response.headers["content-length"] ?? Number.NaN);
    const total = Number.isFinite(length) ? start + length : undefined;
    let file: FileHandle | undefined;
    let at = start;
    try {
      file = await open(this.#partial, start === 0 ? "w" : "r+");
      for await (const chunk of response as AsyncIterable<Uint8Array>) {
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
        this.#options.onProgress?.(at, total);
      }
    } finally {
      await file?.close();
    }
    if (total !== undefined && at < total) throw new Error(`the connection ended after ${at} of ${total} bytes`);
  }

  async #forget(): Promise<void> {
    await rm(this.#partial, { force: true });
    await rm(this.#state, { force: true });
  }

  /** Gives the file its name if it is the right one, and throws it away if not. */
  async finish(): Promise<void> {
    const { path, checksum } = this.#options;
    if (checksum !== undefined) {
      const hex = await hashOf(this.#partial, checksum);
      if (hex !== checksum.hex) {
        await this.#forget();
        throw dataError(
          `what came from ${this.#url} is not the file expected: its ${nameOf(checksum)} is ${hex ?? "not to be had, for it cannot be unpacked"} ` +
            `instead of ${checksum.hex}. It was thrown away; try again later, or put the right file at ${resolve(path)}`,
        );
      }
    }
    // On the disk before it has its name: a crash of the machine must not leave half a file under it.
    const file = await open(this.#partial, "r+");
    await file.sync().finally(() => file.close());
    await rename(this.#partial, path);
    await rm(this.#state, { force: true });
    await rememberHash(path);
  }
}

const nameOf = ({ algorithm, of }: Checksum): string =>
  `${algorithm === "md5" ? "MD5" : "SHA-256"}${of === "unpacked" ? " (unpacked)" : ""}`;

function rangeStart(response: IncomingMessage): number {
  return Number(/^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1] ?? Number.NaN);
}

function refusalText({ statusCode, statusMessage }: IncomingMessage): string {
  return `it answers ${statusCode}${statusMessage ? ` (${statusMessage})` : ""}`;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

const callOf = (error: unknown): string => (error as NodeJS.ErrnoException).syscall ?? "";

/** No connection came about. Firewalls may answer with any code, so the call counts too. */
function isUnreachable(error: unknown): boolean {
  const codes = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"];
  const calls = ["connect", "getaddrinfo"];
  return codes.includes(codeOf(error)) || calls.includes(callOf(error)) || /no answer/.test((error as Error).message);
}

const diskCodes = ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EISDIR", "EEXIST"];

function isWriteError(error: unknown): boolean {
  return diskCodes.includes(codeOf(error)) && !isUnreachable(error);
}

const reasons: Record<string, string> = {
  ENOTFOUND: "its name cannot be looked up",
  EAI_AGAIN: "its name cannot be looked up",
  ECONNREFUSED: "it refuses connections",
  ECONNRESET: "the connection broke",
};

function reasonOf(error: unknown): string {
  return reasons[codeOf(error)] ?? ((error as Error).message || codeOf(error));
}

/** Why nothing could be had anywhere, and what to do by hand. */
function failed({ urls, path }: DownloadOptions, errors: readonly unknown[], have: number): UserError {
  const network = errors.every(isUnreachable);
  const tried = urls.slice(0, errors.length).map((url, i) => `${url} (${reasonOf(errors[i])})`);
  const kept = have > 0 ? ` ${have} bytes are kept: the same command continues there.` : "";
  return new UserError(
    `${network ? "the network is not reachable from here" : "the download failed"}: ${tried.join("; ")}.${kept} ` +
      `Or download it by hand and put it at ${resolve(path)}`,
    exitCode.unavailable,
    { cause: errors[0] },
  );
}

/**
 * Makes sure that a file is there and is the right one.
 *
 * @returns "present" when it was there already.
 * @throws UserError when it cannot be had (with the addresses, and where to put it by hand), is not what it should be,
 *   or cannot be written.
 */
export async function download(options: DownloadOptions): Promise<"downloaded" | "present"> {
  const { path, urls } = options;
  if (existsSync(path)) {
    await checkPresent(options);
    return "present";
  }
  const errors: unknown[] = [];
  try {
    await mkdir(dirname(path), { recursive: true });
    for (const url of urls) {
      const attempt = new Download(options, url);
      try {
        await attempt.run();
      } catch (error) {
        if (isWriteError(error)) throw error;
        errors.push(error);
        continue;
      }
      await attempt.finish();
      return "downloaded";
    }
  } catch (error) {
    if (!isWriteError(error)) throw error;
    const full = ["ENOSPC", "EDQUOT"].includes(codeOf(error));
    throw new UserError(
      `cannot write ${path}: ${full ? "the disk is full; free some space, then the same command continues" : `the system answers ${codeOf(error)}; choose another folder`}`,
      exitCode.io,
      { cause: error },
    );
  }
  const have = await stat(`${path}.partial`).then(
    ({ size }) => size,
    () => 0,
  );
  throw failed(options, errors, have);
}

async function checkPresent({ path, checksum }: DownloadOptions): Promise<void> {
  const expected = checksum ?? (await rememberedHash(path));
  const hex = expected === undefined ? undefined : await hashOf(path, expected);
  if (expected !== undefined && hex !== expected.hex) {
    const source = checksum === undefined ? `remembered in ${sideFile(path)}` : "expected";
    throw dataError(
      `${path} is there, but it is not the right file: its ${nameOf(expected)} is not the one ${source} (${expected.hex}). ` +
        "Remove it and download it again",
    );
  }
  if (!existsSync(sideFile(path))) await rememberHash(path);
}

/** A list of checksums that a publisher keeps, by file name; undefined when it cannot be had now. */
export async function fetchMd5List(url: string, silenceMs = 20_000): Promise<Map<string, string> | undefined> {
  try {
    const response = await follow(url, {}, silenceMs);
    if (response.statusCode !== 200) {
      response.destroy();
      return undefined;
    }
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) {
      text += chunk;
      if (text.length > 2 ** 20) return undefined;
    }
    const lines = [...text.matchAll(/^([0-9a-f]{32})\s+[* ]?(\S+)$/gim)];
    return new Map(lines.map(([, hex, name]) => [name.replace(/^.*\//, ""), hex.toLowerCase()]));
  } catch {
    return undefined;
  }
}
