/**
 * Expressions as WebAssembly: four neurons at a time in float32 (f32x4).
 *
 * Numbers are v128 of four float32, conditions are v128 masks (all bits of a lane 1 or 0), `select` is a bitwise select.
 * Every shared node is computed once, into a local. By default each operation is rounded on its own, exactly as IEEE
 * says, so all CPUs give the same bytes.
 */
import { type FunctionBuilder, f32x4, type Local, type V128, v128 } from "../wasm/assembler.ts";
import { isLeaf, type Leaf, type Node, topologicalOrder } from "./node.ts";
import { emitExp, emitLog } from "./vector-math.ts";

/** How to get the four values of a leaf: a local, a splat, a load. Evaluated once, at the place of first use. */
export type LeafValue = (leaf: Leaf) => V128;

export interface VectorOptions {
  /**
   * Fuse a*b + c into `f32x4.relaxed_madd` (relaxed SIMD): faster where the CPU has it, but rounded once or twice
   * depending on the machine. Default false: reproducible.
   */
  readonly relaxed?: boolean;
}

/**
 * Emits the computation of all outputs and returns one fresh local per output, in order (equal outputs share one).
 * A condition among the outputs gives a mask. Loads named by `leafValue` happen inside; nothing is stored.
 */
export function emitVector(
  f: FunctionBuilder,
  outputs: readonly Node[],
  leafValue: LeafValue,
  options: VectorOptions = {},
): Local<"v128">[] {
  const order = topologicalOrder(outputs);
  const uses = new Map<Node, number>();
  for (const node of order) for (const argument of node.args) uses.set(argument, (uses.get(argument) ?? 0) + 1);
  const isOutput = new Set<Node>(outputs);
  const values = new Map<Node, V128>();
  const fused = options.relaxed ? findFusable(order, uses, isOutput) : new Map<Node, Node>();
  const skipped = new Set(fused.values());
  for (const node of order) {
    if (skipped.has(node)) continue;
    const value = isLeaf(node) ? leafValue(node) : operation(f, node, values, fused.get(node));
    // What is used once stays on the stack; constants are cheaper than locals; a leaf that is a local already stays it.
    const keep = !isOutput.has(node) && ((uses.get(node) ?? 0) <= 1 || isConstant(node) || isLocal(value));
    values.set(node, keep ? value : f.let(value));
  }
  return outputs.map((output) => values.get(output) as Local<"v128">);
}

const isLocal = (value: V128): boolean => "index" in value;
const isConstant = (node: Node): boolean => node.op === "constant" || node.op === "truth";

/** Which a*b can disappear into which sum: products used by that sum alone. */
function findFusable(order: readonly Node[], uses: Map<Node, number>, isOutput: Set<Node>): Map<Node, Node> {
  const fused = new Map<Node, Node>();
  for (const node of order) {
    if (node.op !== "add" && node.op !== "sub") continue;
    const product = node.args.find((a) => a.op === "mul" && uses.get(a) === 1 && !isOutput.has(a));
    if (product !== undefined) fused.set(node, product);
  }
  return fused;
}

function operation(f: FunctionBuilder, node: Node, values: Map<Node, V128>, product: Node | undefined): V128 {
  const get = (argument: Node): V128 => values.get(argument) as V128;
  if (product !== undefined) {
    const [x, y] = product.args.map(get);
    const productFirst = node.args[0] === product;
    const rest = get(node.args[productFirst ? 1 : 0]);
    if (node.op === "add") return f32x4.relaxedMadd(x, y, rest);
    return productFirst ? f32x4.relaxedMadd(x, y, f32x4.neg(rest)) : f32x4.relaxedNmadd(x, y, rest);
  }
  const [a, b, c] = node.args.map(get);
  switch (node.op) {
    case "constant":
      return f32x4.const(node.value);
    case "truth":
      return node.truth ? v128.not(v128.zero) : v128.zero;
    case "add":
      return f32x4.add(a, b);
    case "sub":
      return f32x4.sub(a, b);
    case "mul":
      return f32x4.mul(a, b);
    case "div":
      return f32x4.div(a, b);
    case "neg":
      return f32x4.neg(a);
    case "min":
      return f32x4.min(a, b);
    case "max":
      return f32x4.max(a, b);
    case "abs":
      return f32x4.abs(a);
    case "sqrt":
      return f32x4.sqrt(a);
    case "exp":
      return emitExp(f, a);
    case "log":
      return emitLog(f, a);
    case "select":
      return v128.bitselect(b, c, a);
    case "stopGradient":
      return a;
    case "spike":
      return v128.and(f32x4.gt(a, f32x4.const(0)), f32x4.const(1));
    case "gt":
      return f32x4.gt(a, b);
    case "ge":
      return f32x4.ge(a, b);
    case "and":
      return v128.and(a, b);
    case "or":
      return v128.or(a, b);
    case "not":
      return v128.not(a);
    default:
      throw new Error(`the WebAssembly printer does not know the operation "${node.op}"`);
  }
}
