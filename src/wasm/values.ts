/**
 * Typed WebAssembly values: an instruction sequence that leaves one value on the stack, as an ordinary object.
 *
 * `f32x4.add(a, b)` does not compute, it *describes*: the returned `Value` holds the bytes of a, of b and of the opcode.
 * TypeScript then checks what WebAssembly would (no f32 where a v128 is due) while a kernel is being written. Using a
 * value twice emits its instructions twice; keep shared results in a local (`FunctionBuilder.let`).
 *
 * Opcodes: WebAssembly core specification 2.0 with fixed-width SIMD, and the relaxed SIMD proposal.
 */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

export interface Value<T extends ValueType = ValueType> {
  readonly type: T;
  readonly code: readonly number[];
}

export type I32 = Value<"i32">;
export type I64 = Value<"i64">;
export type F32 = Value<"f32">;
export type F64 = Value<"f64">;
export type V128 = Value<"v128">;

/** An instruction sequence that leaves nothing on the stack. */
export interface Statement {
  readonly type: "none";
  readonly code: readonly number[];
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 128);
  }
}

function littleEndian(write: (view: DataView) => void, bytes: number): number[] {
  const view = new DataView(new ArrayBuffer(bytes));
  write(view);
  return [...new Uint8Array(view.buffer)];
}

const value = <T extends ValueType>(type: T, ...code: (number | readonly number[])[]): Value<T> => ({
  type,
  code: code.flat(),
});

const statement = (...code: (number | readonly number[])[]): Statement => ({ type: "none", code: code.flat() });

/** Opcodes behind the 0xfd (SIMD) prefix are LEB128 numbers. */
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

const unary =
  <A extends ValueType, R extends ValueType>(result: R, ...opcode: number[]) =>
  (a: Value<A>): Value<R> =>
    value(result, a.code, opcode);

const binary =
  <A extends ValueType, B extends ValueType, R extends ValueType>(result: R, ...opcode: number[]) =>
  (a: Value<A>, b: Value<B>): Value<R> =>
    value(result, a.code, b.code, opcode);

const ternary =
  <R extends ValueType>(result: R, ...opcode: number[]) =>
  (a: V128, b: V128, c: V128): Value<R> =>
    value(result, a.code, b.code, c.code, opcode);

/** Memory operand: log2 of the alignment promised to the engine, then the constant offset. */
const load =
  <R extends ValueType>(result: R, align: number, ...opcode: number[]) =>
  (address: I32, offset = 0): Value<R> =>
    value(result, address.code, opcode, align, unsigned(offset));

const store =
  <A extends ValueType>(align: number, ...opcode: number[]) =>
  (address: I32, stored: Value<A>, offset = 0): Statement =>
    statement(address.code, stored.code, opcode, align, unsigned(offset));

const i32Compare = (opcode: number) => binary<"i32", "i32", "i32">("i32", opcode);
const i32Binary = i32Compare;
const f32Compare = (opcode: number) => binary<"f32", "f32", "i32">("i32", opcode);
const f32Binary = (opcode: number) => binary<"f32", "f32", "f32">("f32", opcode);
const f64Binary = (opcode: number) => binary<"f64", "f64", "f64">("f64", opcode);
const vectorUnary = (opcode: number) => unary<"v128", "v128">("v128", ...simd(opcode));
const vectorBinary = (opcode: number) => binary<"v128", "v128", "v128">("v128", ...simd(opcode));
const vectorShift = (opcode: number) => binary<"v128", "i32", "v128">("v128", ...simd(opcode));

export const i32 = {
  const: (n: number): I32 => value("i32", 0x41, signed(n)),
  eqz: unary<"i32", "i32">("i32", 0x45),
  eq: i32Compare(0x46),
  ne: i32Compare(0x47),
  ltS: i32Compare(0x48),
  ltU: i32Compare(0x49),
  gtU: i32Compare(0x4b),
  geU: i32Compare(0x4f),
  ctz: unary<"i32", "i32">("i32", 0x68),
  add: i32Binary(0x6a),
  sub: i32Binary(0x6b),
  mul: i32Binary(0x6c),
  remU: i32Binary(0x70),
  and: i32Binary(0x71),
  or: i32Binary(0x72),
  xor: i32Binary(0x73),
  shl: i32Binary(0x74),
  shrU: i32Binary(0x76),
  truncSatF32S: unary<"f32", "i32">("i32", 0xfc, 0x00),
  load: load("i32", 2, 0x28),
  load8U: load("i32", 0, 0x2d),
  load16U: load("i32", 1, 0x2f),
  store: store<"i32">(2, 0x36),
  store8: store<"i32">(0, 0x3a),
  store16: store<"i32">(1, 0x3b),
};

export const f32 = {
  const: (x: number): F32 =>
    value(
      "f32",
      0x43,
      littleEndian((view) => view.setFloat32(0, x, true), 4),
    ),
  eq: f32Compare(0x5b),
  lt: f32Compare(0x5d),
  gt: f32Compare(0x5e),
  ge: f32Compare(0x60),
  abs: unary<"f32", "f32">("f32", 0x8b),
  neg: unary<"f32", "f32">("f32", 0x8c),
  nearest: unary<"f32", "f32">("f32", 0x90),
  sqrt: unary<"f32", "f32">("f32", 0x91),
  add: f32Binary(0x92),
  sub: f32Binary(0x93),
  mul: f32Binary(0x94),
  div: f32Binary(0x95),
  min: f32Binary(0x96),
  max: f32Binary(0x97),
  convertI32S: unary<"i32", "f32">("f32", 0xb2),
  reinterpretI32: unary<"i32", "f32">("f32", 0xbe),
  load: load("f32", 2, 0x2a),
  store: store<"f32">(2, 0x38),
};

export const f64 = {
  const: (x: number): F64 =>
    value(
      "f64",
      0x44,
      littleEndian((view) => view.setFloat64(0, x, true), 8),
    ),
  add: f64Binary(0xa0),
  mul: f64Binary(0xa2),
  max: f64Binary(0xa5),
  promote: unary<"f32", "f64">("f64", 0xbb),
  load: load("f64", 3, 0x2b),
  store: store<"f64">(3, 0x39),
};

export const v128 = {
  zero: { type: "v128", code: [...simd(0x0c), ...new Array<number>(16).fill(0)] } as V128,
  load: load("v128", 4, ...simd(0x00)),
  /** Four 16-bit integers, widened with their sign to i32x4. */
  load16x4S: load("v128", 3, ...simd(0x03)),
  /** Four 16-bit integers, widened with zeros to i32x4. */
  load16x4U: load("v128", 3, ...simd(0x04)),
  load32Splat: load("v128", 2, ...simd(0x09)),
  load32Zero: load("v128", 2, ...simd(0x5c)),
  load64Zero: load("v128", 3, ...simd(0x5d)),
  store: store<"v128">(4, ...simd(0x0b)),
  store64Lane: (address: I32, stored: V128, lane: 0 | 1, offset = 0): Statement =>
    statement(address.code, stored.code, simd(0x5b), 3, unsigned(offset), lane),
  not: vectorUnary(0x4d),
  and: vectorBinary(0x4e),
  andnot: vectorBinary(0x4f),
  or: vectorBinary(0x50),
  xor: vectorBinary(0x51),
  /** Bits of `a` where `mask` is 1, of `b` where it is 0. */
  bitselect: (a: V128, b: V128, mask: V128): V128 => ternary("v128", ...simd(0x52))(a, b, mask),
  anyTrue: unary<"v128", "i32">("i32", ...simd(0x53)),
};

export const i8x16 = {
  /** Bytes chosen from a (0..15) and b (16..31). */
  shuffle: (a: V128, b: V128, lanes: readonly number[]): V128 => value("v128", a.code, b.code, simd(0x0d), lanes),
};

export const i16x8 = {
  /** Saturating. */
  narrowI32x4S: vectorBinary(0x85),
  extendLowI8x16U: vectorUnary(0x89),
  /** Sums of neighbouring bytes. */
  extaddPairwiseI8x16U: vectorUnary(0x7d),
};

export const i32x4 = {
  const: (a: number, b: number, c: number, d: number): V128 =>
    value(
      "v128",
      simd(0x0c),
      littleEndian((view) => {
        for (const [lane, x] of [a, b, c, d].entries()) view.setInt32(4 * lane, x, true);
      }, 16),
    ),
  splat: unary<"i32", "v128">("v128", ...simd(0x11)),
  extractLane: (a: V128, lane: number): I32 => value("i32", a.code, simd(0x1b), lane),
  eq: vectorBinary(0x37),
  ne: vectorBinary(0x38),
  gtS: vectorBinary(0x3b),
  extaddPairwiseI16x8U: vectorUnary(0x7f),
  extendLowI16x8S: vectorUnary(0xa7),
  extendHighI16x8S: vectorUnary(0xa8),
  extendLowI16x8U: vectorUnary(0xa9),
  bitmask: unary<"v128", "i32">("i32", ...simd(0xa4)),
  shl: vectorShift(0xab),
  shrS: vectorShift(0xac),
  shrU: vectorShift(0xad),
  add: vectorBinary(0xae),
  sub: vectorBinary(0xb1),
  mul: vectorBinary(0xb5),
  maxS: vectorBinary(0xb8),
  /** Products of eight 16-bit integers, neighbours added. */
  dotI16x8S: vectorBinary(0xba),
  truncSatF32x4S: vectorUnary(0xf8),
};

export const i64x2 = {
  extmulLowI32x4U: vectorBinary(0xde),
  extmulHighI32x4U: vectorBinary(0xdf),
};

export const f32x4 = {
  const: (x: number): V128 =>
    value(
      "v128",
      simd(0x0c),
      littleEndian((view) => {
        for (let lane = 0; lane < 4; lane++) view.setFloat32(4 * lane, x, true);
      }, 16),
    ),
  splat: unary<"f32", "v128">("v128", ...simd(0x13)),
  extractLane: (a: V128, lane: number): F32 => value("f32", a.code, simd(0x1f), lane),
  eq: vectorBinary(0x41),
  lt: vectorBinary(0x43),
  gt: vectorBinary(0x44),
  le: vectorBinary(0x45),
  ge: vectorBinary(0x46),
  floor: vectorUnary(0x68),
  nearest: vectorUnary(0x6a),
  abs: vectorUnary(0xe0),
  neg: vectorUnary(0xe1),
  sqrt: vectorUnary(0xe3),
  add: vectorBinary(0xe4),
  sub: vectorBinary(0xe5),
  mul: vectorBinary(0xe6),
  div: vectorBinary(0xe7),
  min: vectorBinary(0xe8),
  max: vectorBinary(0xe9),
  convertI32x4S: vectorUnary(0xfa),
  /** Relaxed SIMD: a * b + c, rounded once or twice as the machine likes. */
  relaxedMadd: ternary("v128", ...simd(0x105)),
  /** Relaxed SIMD: c - a * b. */
  relaxedNmadd: ternary("v128", ...simd(0x106)),
};

/** memory.copy and memory.fill. */
export const memory = {
  copy: (to: I32, from: I32, bytes: I32): Statement =>
    statement(to.code, from.code, bytes.code, [0xfc, 0x0a, 0x00, 0x00]),
  fill: (to: I32, byte: I32, bytes: I32): Statement => statement(to.code, byte.code, bytes.code, [0xfc, 0x0b, 0x00]),
};
