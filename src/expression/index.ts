/** The expression graph: build, evaluate, hoist, differentiate, print. */
export * from "./build.ts";
export * from "./derivative.ts";
export * from "./evaluate.ts";
export * from "./hoist.ts";
export {
  Condition,
  Expression,
  isLeaf,
  type Leaf,
  type LeafKind,
  leavesOf,
  type Node,
  type Operand,
  type Surrogate,
  topologicalOrder,
} from "./node.ts";
export * from "./substitute.ts";
export * from "./surrogates.ts";
export { flushTiny } from "./vector-math.ts";
export * from "./wasm.ts";
