/**
 * Sums that do not depend on who computes them. The samples of a batch are dealt to a fixed number of lanes (a power of
 * two); lanes are added as a binary tree, neighbours first. A worker that holds several lanes in a row adds what is
 * complete below it, and whoever collects the workers' sums goes on from there: the same additions in the same order.
 */
export interface TreeNode {
  /** Lanes below it: 2^level, from index 2^level * index on. */
  readonly level: number;
  readonly index: number;
  /** Null: no sample fell into these lanes. */
  readonly sum: Float32Array<ArrayBuffer> | null;
}

/** Lanes of a worker: `from` to `to` - 1. */
export function lanesOf(rank: number, workers: number, lanes: number): { from: number; to: number } {
  return { from: Math.floor((rank * lanes) / workers), to: Math.floor(((rank + 1) * lanes) / workers) };
}

function addInto(a: Float32Array<ArrayBuffer> | null, b: Float32Array<ArrayBuffer> | null) {
  if (a === null || b === null) return a ?? b;
  for (let i = 0; i < a.length; i++) a[i] += b[i];
  return a;
}

/** Collects nodes in ascending order and adds neighbours as soon as both are there. Sums are changed in place. */
export class TreeSum {
  readonly #nodes: TreeNode[] = [];

  add(node: TreeNode): void {
    let added = node;
    for (;;) {
      const last = this.#nodes.at(-1);
      const isRight = added.index % 2 === 1;
      if (!isRight || last === undefined || last.level !== added.level || last.index !== added.index - 1) break;
      this.#nodes.pop();
      added = { level: added.level + 1, index: (added.index - 1) / 2, sum: addInto(last.sum, added.sum) };
    }
    this.#nodes.push(added);
  }

  get nodes(): readonly TreeNode[] {
    return this.#nodes;
  }
}
