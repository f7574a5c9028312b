/** The checkpoints of a run as `volley inspect` shows them. */
import { openCheckpoint } from "../experiment/checkpoint.ts";
import { formatBytes } from "../experiment/memory-guard.ts";
import type { RunFolder } from "../experiment/run-folder.ts";

export type DescribedCheckpoint =
  | {
      readonly path: string;
      readonly whole: true;
      readonly bytes: number;
      readonly sha256: string;
      readonly iteration: number;
      readonly withP?: boolean;
      readonly sections: readonly { readonly name: string; readonly items: number; readonly bytesPerItem: number }[];
    }
  | { readonly path: string; readonly whole: false; readonly fault: string };

/** Newest first, every byte of each checked. */
export async function describeCheckpoints(run: RunFolder): Promise<DescribedCheckpoint[]> {
  const found: DescribedCheckpoint[] = [];
  for (const { path } of await run.checkpoints.list()) {
    try {
      const checkpoint = await openCheckpoint(path);
      await checkpoint.close();
      const { header, sha256, bytes } = checkpoint;
      const { iteration, withP } = header;
      const sections = header.sections.map(({ name, items, bytesPerItem }) => ({ name, items, bytesPerItem }));
      found.push({ path, whole: true, bytes, sha256, iteration, withP, sections });
    } catch (error) {
      found.push({ path, whole: false, fault: (error as Error).message });
    }
  }
  return found;
}

/** @param noun what the checkpoints are numbered by */
export function checkpointLines(checkpoints: readonly DescribedCheckpoint[], noun: "iteration" | "epoch"): string[] {
  if (checkpoints.length === 0) return ["  checkpoint   none yet"];
  return checkpoints.map((checkpoint) => {
    if (!checkpoint.whole) return `  checkpoint   ${checkpoint.fault}`;
    const { iteration, bytes, withP, sha256 } = checkpoint;
    return `  checkpoint   ${noun} ${iteration}, ${formatBytes(bytes)}${withP === false ? " without P" : ""}, whole, sha256 ${sha256}`;
  });
}
