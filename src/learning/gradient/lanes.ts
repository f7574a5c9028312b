/**
 * Sums that do not depend on who computes them. The samples of a batch are dealt to a fixed number of lanes (a power of
 * two); lanes are added as a binary tree, neighbours first. A worker that holds several lanes in a row adds what is
 * complete below it, and whoever collects the workers' sums goes on from there: the same additions in the same order.
 */
export interface TreeNode<Sum = Float32Array<ArrayBuffer>> {
  /** Lanes below it: 2^level, from index 2^level * index on. */
  readonly level: number;
  readonly index: number;
  /** Null: no sample fell into these lanes. */
  readonly sum: Sum | null;
}

/** Lanes of a worker: `from` to `to` - 1. */
export function lanesOf(rank: number, workers: number, lanes: number): { from: number; to: number } {
  return { from: Math.floor((rank * lanes) / workers), to: Math.floor(((rank + 1) * lanes) / workers) };
}

/** a += b */
export function addArrays(a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < a.length; i++) a[i] += b[i];
}

/** Collects nodes in ascending order and adds neighbours as soon as both are there. Sums are changed in place. */
export class TreeSum<Sum> {
  readonly #nodes: TreeNode<Sum>[] = [];
  readonly #add: (to: Sum, from: Sum) => void;

  /** @param add puts the second sum into the first; the second is then no longer needed. */
  constructor(add: (to: Sum, from: Sum) => void) {
    this.#add = add;
  }

  add(node: TreeNode<Sum>): void {
    let added = node;
    for (;;) {
      const last = this.#nodes.at(-1);
      const isRight = added.index % 2 === 1;
      if (!isRight || last === undefined || last.level !== added.level || last.index !== added.index - 1) break;
      this.#nodes.pop();
      if (last.sum !== null && added.sum !== null) this.#add(last.sum, added.sum);
      added = { level: added.level + 1, index: (added.index - 1) / 2, sum: last.sum ?? added.sum };
    }
    this.#nodes.push(added);
  }

  get nodes(): readonly TreeNode<Sum>[] {
    return this.#nodes;
  }
}
