/** Replaces nodes by others, simplifying on the way: plug in numbers, new states, hoisted values. */
import { rebuild } from "./build.ts";
import { type Expression, type Node, topologicalOrder } from "./node.ts";

/**
 * @param replacement returns what a node becomes, or null to keep it (with its arguments replaced). It is asked before
 *   the arguments are looked at, and what it returns is not searched again.
 */
export function substitute(
  outputs: readonly Expression[],
  replacement: (node: Expression) => Expression | null,
): Expression[] {
  const result = new Map<Node, Node>();
  for (const node of topologicalOrder(outputs)) {
    const replaced = node.kind === "number" ? replacement(node) : null;
    result.set(
      node,
      replaced ??
        rebuild(
          node,
          node.args.map((argument) => result.get(argument) as Node),
        ),
    );
  }
  return outputs.map((output) => result.get(output) as Expression);
}
