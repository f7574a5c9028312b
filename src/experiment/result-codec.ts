/**
 * Results as JSON in which figures stay readable and arrays stay exact.
 *
 * A typed array becomes `{"array": "Float32Array", "base64": ...}` (little-endian; in Python:
 * `numpy.frombuffer(base64.b64decode(text), "<f4")`), a number that JSON does not know becomes `{"number": "NaN"}`.
 */
const arrayTypes = {
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
} as const;
type ArrayName = keyof typeof arrayTypes;

function encode(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return { number: String(value) };
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { array: value.constructor.name, base64: bytes.toString("base64") };
  }
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
  }
  return value;
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const entry = value as { array?: string; base64?: string; number?: string };
  if (typeof entry.array === "string" && typeof entry.base64 === "string" && entry.array in arrayTypes) {
    const bytes = Buffer.from(entry.base64, "base64");
    const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    return new arrayTypes[entry.array as ArrayName](copy as ArrayBuffer);
  }
  const keys = Object.keys(value);
  if (keys.length === 1 && typeof entry.number === "string") return Number(entry.number);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

export const encodeResult = (value: unknown): string => `${JSON.stringify(encode(value), null, 1)}\n`;
export const decodeResult = <Result>(text: string): Result => decode(JSON.parse(text)) as Result;
