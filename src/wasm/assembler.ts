/**
 * A small WebAssembly assembler: modules specialised at run time, for sizes and models known only then.
 *
 * ```ts
 * const module = new ModuleBuilder();
 * const scale = module.function("scale", { from: "i32", bytes: "i32", factor: "f32" }, (f, { from, bytes, factor }) => {
 *   const end = f.let(i32.add(from, bytes));
 *   f.repeat(() => {
 *     f.push(v128.store(from, f32x4.mul(v128.load(from), f32x4.splat(factor))));
 *     f.set(from, i32.add(from, i32.const(16)));
 *   }, () => i32.ltU(from, end));
 * });
 * const { instance } = await WebAssembly.instantiate(module.toBytes(), { env: { memory } });
 * ```
 * The only import is `env.memory`. Nothing is validated here: `WebAssembly.compile` does that, completely.
 */
import {
  type F32,
  f32,
  f32x4,
  type I32,
  i8x16,
  i32,
  type Statement,
  unsigned,
  type V128,
  type Value,
  type ValueType,
} from "./values.ts";

export * from "./values.ts";

const typeCode: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const emptyBlock = 0x40;

export interface Local<T extends ValueType = ValueType> extends Value<T> {
  readonly index: number;
}

/** Parameter names with their types, in order. */
export type Signature = Record<string, ValueType>;
export type Parameters<S extends Signature> = { readonly [K in keyof S]: Local<S[K]> };

/** A function of the module that others can call. */
export interface FunctionReference<S extends Signature = Signature, R extends ValueType | "none" = ValueType | "none"> {
  readonly index: number;
  readonly signature: S;
  readonly result: R;
}

type Arguments<S extends Signature> = { readonly [K in keyof S]: Value<S[K]> };

/** Collects the body of one function, statement by statement. */
export class FunctionBuilder {
  readonly #body: number[] = [];
  readonly #locals: ValueType[] = [];
  readonly #parameterCount: number;

  constructor(parameterCount: number) {
    this.#parameterCount = parameterCount;
  }

  /** A new local, zero at the start of the function. */
  local<T extends ValueType>(type: T): Local<T> {
    const index = this.#parameterCount + this.#locals.length;
    this.#locals.push(type);
    return { type, index, code: [0x20, ...unsigned(index)] };
  }

  /** A new local that holds `value` from here on. */
  let<T extends ValueType>(value: Value<T>): Local<T> {
    const local = this.local(value.type);
    this.set(local, value);
    return local;
  }

  set<T extends ValueType>(local: Local<T>, value: Value<T>): void {
    this.#emit(value.code, 0x21, unsigned(local.index));
  }

  /** local += bytes, for pointers. */
  advance(pointer: Local<"i32">, bytes: number): void {
    this.set(pointer, i32.add(pointer, i32.const(bytes)));
  }

  push(statement: Statement): void {
    this.#emit(statement.code);
  }

  /** The body, then again while `again` holds: runs at least once. */
  repeat(body: () => void, again: () => I32): void {
    this.#emit(0x03, emptyBlock);
    body();
    this.#emit(again().code, 0x0d, 0x00, 0x0b);
  }

  /** The body as long as `condition` holds before it. */
  while(condition: () => I32, body: () => void): void {
    this.if(condition(), () => this.repeat(body, condition));
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.#emit(condition.code, 0x04, emptyBlock);
    then();
    if (otherwise) {
      this.#emit(0x05);
      otherwise();
    }
    this.#emit(0x0b);
  }

  /** Leaves the function with this result, or with none. */
  return(value?: Value): void {
    this.#emit(value?.code ?? [], 0x0f);
  }

  /** Leaves `value` as what the function returns; must be the last thing. */
  result(value: Value): void {
    this.#emit(value.code);
  }

  call<S extends Signature>(callee: FunctionReference<S, "none">, args: Arguments<S>): void {
    this.#emit(callCode(callee, args));
  }

  encode(): number[] {
    const groups = this.#locals.flatMap((type) => [1, typeCode[type]]);
    const code = [...unsigned(this.#locals.length), ...groups, ...this.#body, 0x0b];
    return [...unsigned(code.length), ...code];
  }

  #emit(...parts: (number | readonly number[])[]): void {
    for (const part of parts) {
      if (typeof part === "number") this.#body.push(part);
      else for (const byte of part) this.#body.push(byte);
    }
  }
}

function callCode<S extends Signature>(callee: FunctionReference<S>, args: Arguments<S>): number[] {
  const pushed = Object.keys(callee.signature).flatMap((name) => [...args[name].code]);
  return [...pushed, 0x10, ...unsigned(callee.index)];
}

/** The value that a call returns. */
export function callValue<S extends Signature, R extends ValueType>(
  callee: FunctionReference<S, R>,
  args: Arguments<S>,
): Value<R> {
  return { type: callee.result, code: callCode(callee, args) };
}

interface DefinedFunction {
  readonly name: string;
  readonly parameters: ValueType[];
  readonly result: ValueType | "none";
  readonly body: FunctionBuilder;
}

/** A module with one imported memory (`env.memory`) and exported functions. */
export class ModuleBuilder {
  readonly #functions: DefinedFunction[] = [];
  readonly #shared: boolean;

  /** @param options.shared whether the imported memory is shared between threads (default no). */
  constructor(options: { shared?: boolean } = {}) {
    this.#shared = options.shared ?? false;
  }

  /** Defines and exports a function without result. */
  function<S extends Signature>(
    name: string,
    signature: S,
    body: (f: FunctionBuilder, parameters: Parameters<S>) => void,
  ): FunctionReference<S, "none"> {
    return this.#define(name, signature, "none", body);
  }

  /** Defines and exports a function whose body ends with `f.result(value)`. */
  functionReturning<S extends Signature, R extends ValueType>(
    name: string,
    signature: S,
    result: R,
    body: (f: FunctionBuilder, parameters: Parameters<S>) => void,
  ): FunctionReference<S, R> {
    return this.#define(name, signature, result, body);
  }

  #define<S extends Signature, R extends ValueType | "none">(
    name: string,
    signature: S,
    result: R,
    body: (f: FunctionBuilder, parameters: Parameters<S>) => void,
  ): FunctionReference<S, R> {
    const names = Object.keys(signature);
    const builder = new FunctionBuilder(names.length);
    const parameters = Object.fromEntries(
      names.map((key, index) => [key, { type: signature[key], index, code: [0x20, ...unsigned(index)] }]),
    ) as unknown as Parameters<S>;
    body(builder, parameters);
    const index = this.#functions.length;
    this.#functions.push({ name, parameters: names.map((key) => signature[key]), result, body: builder });
    return { index, signature, result };
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const types = this.#functions.map((f) => [
      0x60,
      ...vector(f.parameters.map((type) => [typeCode[type]])),
      ...vector(f.result === "none" ? [] : [[typeCode[f.result]]]),
    ]);
    const text = (name: string) => [...unsigned(name.length), ...new TextEncoder().encode(name)];
    // Shared memories must declare a maximum; 65536 pages are the 4 GiB a 32-bit memory can have.
    const limits = this.#shared ? [0x03, 0x01, ...unsigned(65536)] : [0x00, 0x01];
    const sections = [
      section(1, vector(types)),
      section(2, vector([[...text("env"), ...text("memory"), 0x02, ...limits]])),
      section(3, vector(this.#functions.map((_, index) => unsigned(index)))),
      section(7, vector(this.#functions.map((f, index) => [...text(f.name), 0x00, ...unsigned(index)]))),
      section(10, vector(this.#functions.map((f) => f.body.encode()))),
    ];
    return new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...sections.flat()]);
  }
}

function vector(items: readonly (readonly number[])[]): number[] {
  const bytes = unsigned(items.length);
  for (const item of items) for (const byte of item) bytes.push(byte);
  return bytes;
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** Sum of the four lanes, as (0 + 2) + (1 + 3): one order everywhere. */
export function horizontalSum(f: FunctionBuilder, vector: V128): F32 {
  const sum = f.let(vector);
  f.set(sum, f32x4.add(sum, i8x16.shuffle(sum, sum, [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7])));
  return f32.add(f32x4.extractLane(sum, 0), f32x4.extractLane(sum, 1));
}
