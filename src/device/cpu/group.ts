/**
 * A group of workers that all answer the same calls: threads, or this thread alone.
 *
 * Calls are plain data in, plain data out. What a worker is able to do is given by a *host* (an object of methods) that
 * its entry module makes; this room knows nothing of it.
 */
import { UserError } from "../../base/errors.ts";

export type Host = Record<string, (...args: never[]) => unknown>;

export interface WorkerGroup {
  readonly size: number;
  /** Calls a method on every worker at once; results in the order of ranks. */
  callAll<T>(method: string, args: (rank: number) => unknown[]): Promise<T[]>;
  call<T>(rank: number, method: string, args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

/** What travels: a call, its answer. Errors a user can act on keep their nature. */
export interface CallMessage {
  readonly id: number;
  readonly method: string;
  readonly args: unknown[];
}

export interface AnswerMessage {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly stack?: string; readonly exitCode?: number };
}

/** Answers one call on a host. */
export async function answer(host: Host, { id, method, args }: CallMessage): Promise<AnswerMessage> {
  try {
    return { id, result: await host[method](...(args as never[])) };
  } catch (error) {
    const { message, stack } = error as Error;
    return { id, error: { message, stack, exitCode: error instanceof UserError ? error.exitCode : undefined } };
  }
}

/** Arrays of an answer, also inside of objects and lists, are handed over instead of copied where they own their bytes. */
export function transferable(result: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(result)) {
    const { buffer, byteLength } = result;
    return buffer instanceof ArrayBuffer && byteLength === buffer.byteLength ? [buffer] : [];
  }
  if (typeof result !== "object" || result === null) return [];
  return [...new Set(Object.values(result).flatMap(transferable))];
}

/** One worker as the group sees it. */
export interface Channel {
  post(message: CallMessage): void;
  close(): Promise<void>;
}

/**
 * A group over message channels. `open` makes the channel of a rank and is given what to call with every answer, and
 * what to call when the worker dies.
 */
export class ChannelGroup implements WorkerGroup {
  readonly size: number;
  readonly #channels: Channel[];
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 0;
  /** Why no call can be answered any more: a worker died. */
  #dead: Error | null = null;

  constructor(
    size: number,
    open: (rank: number, onAnswer: (message: AnswerMessage) => void, onDeath: (error: Error) => void) => Channel,
  ) {
    this.size = size;
    this.#channels = Array.from({ length: size }, (_, rank) =>
      open(
        rank,
        (message) => this.#settle(message),
        (error) => this.#failAll(error),
      ),
    );
  }

  callAll<T>(method: string, args: (rank: number) => unknown[]): Promise<T[]> {
    return Promise.all(this.#channels.map((_, rank) => this.call<T>(rank, method, args(rank))));
  }

  call<T>(rank: number, method: string, args: unknown[]): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#channels[rank].post({ id, method, args });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.close()));
  }

  #settle({ id, result, error }: AnswerMessage): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!error) {
      waiting?.resolve(result as never);
      return;
    }
    const failure =
      error.exitCode === undefined
        ? Object.assign(new Error(error.message), { stack: error.stack })
        : new UserError(error.message, error.exitCode as UserError["exitCode"]);
    waiting?.reject(failure);
  }

  #failAll(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** The group of one worker that is this thread: calls block it. */
export class LocalGroup implements WorkerGroup {
  readonly size = 1;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async callAll<T>(method: string, args: (rank: number) => unknown[]): Promise<T[]> {
    return [await this.call<T>(0, method, args(0))];
  }

  async call<T>(_rank: number, method: string, args: unknown[]): Promise<T> {
    return (await this.#host[method](...(args as never[]))) as T;
  }

  async close(): Promise<void> {}
}
