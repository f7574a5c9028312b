/** Trainers of small networks in worker threads, and what tests compare: all bytes of a trainer's state. */
import { createHash } from "node:crypto";
import type { Checkpointable } from "../../src/learning/rls/checkpointable.ts";
import type { RlsSpec } from "../../src/learning/rls/spec.ts";
import type { RlsTrainer } from "../../src/learning/rls/trainer.ts";
import type { TrainerOptions, TrainerTargets } from "../../src/learning/rls/trainer-options.ts";

type Create = typeof import("../../src/learning/rls/trainer.node.ts").createRlsTrainer;

// Worker threads load JavaScript, so the whole trainer comes from the built package (`npm run build`).
const built = new URL("../../dist/learning/rls/trainer.node.js", import.meta.url).href;
const { createRlsTrainer } = (await import(/* @vite-ignore */ built)) as { createRlsTrainer: Create };

export const sinusoids: TrainerTargets = {
  recording: null,
  sinusoids: { amplitude: 0.5, periodMs: 80, bias: "none" },
  copies: 1,
};

export interface Way extends Partial<TrainerOptions> {
  readonly targets?: TrainerTargets;
}

export function create(spec: RlsSpec, { targets = sinusoids, ...options }: Way = {}): Promise<RlsTrainer> {
  return createRlsTrainer(spec, targets, { threads: 1, fast: false, ...options });
}

/** Runs `body` with a trainer and closes it whatever happens. */
export async function withTrainer<T>(spec: RlsSpec, way: Way, body: (trainer: RlsTrainer) => Promise<T>): Promise<T> {
  const trainer = await create(spec, way);
  try {
    return await body(trainer);
  } finally {
    await trainer.close();
  }
}

export interface Checkpoint {
  readonly scalars: Record<string, unknown>;
  readonly sections: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export async function save(trainer: Checkpointable): Promise<Checkpoint> {
  const sections: { name: string; bytes: Uint8Array }[] = [];
  for (const { name, items, bytesPerItem } of await trainer.stateSections({ withP: true })) {
    const bytes = await trainer.readSection(name, 0, items);
    if (bytes.length !== items * bytesPerItem) throw new Error(`section ${name} has ${bytes.length} bytes`);
    sections.push({ name, bytes });
  }
  // As a file would keep them.
  return { scalars: JSON.parse(JSON.stringify(await trainer.stateScalars())), sections };
}

/** Writes every section in two pieces, cut where no thread or shard ends. */
export async function restore(trainer: Checkpointable, { scalars, sections }: Checkpoint): Promise<void> {
  await trainer.restoreScalars(scalars);
  const known = await trainer.stateSections({ withP: true });
  for (const { name, bytes } of sections) {
    const size = known.find((section) => section.name === name)?.bytesPerItem ?? 1;
    const half = Math.floor(bytes.length / size / 3);
    await trainer.writeSection(name, 0, bytes.subarray(0, half * size));
    await trainer.writeSection(name, half, bytes.subarray(half * size));
  }
}

/** SHA-256 of every section and of the scalars, so that a difference shows where it is. */
export async function digest(trainer: Checkpointable): Promise<Record<string, string>> {
  const { scalars, sections } = await save(trainer);
  const hash = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex").slice(0, 16);
  const hashes = Object.fromEntries(sections.map(({ name, bytes }) => [name, hash(bytes)]));
  return { ...hashes, scalars: JSON.stringify(scalars) };
}

/** Runs iterations up to number `last`. */
export async function trainTo(trainer: RlsTrainer, last: number): Promise<void> {
  while (trainer.iteration < last) {
    if ((await trainer.iterate({ measure: true })) === "interrupted") throw new Error("nobody asked to stop");
  }
}
