/** Small RLS networks for the tests of this folder, and what they compare: all bytes of a trainer's state. */
import { createHash } from "node:crypto";
import type { Checkpointable } from "../../src/learning/rls/checkpointable.ts";
import type { RlsSettings, RlsSpec } from "../../src/learning/rls/spec.ts";
import type { RlsTrainer, TrainerOptions, TrainerTargets } from "../../src/learning/rls/trainer.ts";

type Create = typeof import("../../src/learning/rls/trainer.node.ts").createRlsTrainer;

// Worker threads load JavaScript, so the whole trainer comes from the built package (`npm run build`).
const built = new URL("../../dist/learning/rls/trainer.node.js", import.meta.url).href;
const { createRlsTrainer } = (await import(/* @vite-ignore */ built)) as { createRlsTrainer: Create };

export const sinusoids: TrainerTargets = {
  recording: null,
  sinusoids: { amplitude: 0.5, periodMs: 80, bias: "none" },
  copies: 1,
};

/** The fields of a specification that a test changes; of nested records only what it names. */
export interface Changes extends Partial<Omit<RlsSpec, "learning" | "plastic" | "timing">> {
  readonly learning?: Partial<RlsSettings>;
  readonly plastic?: Partial<RlsSpec["plastic"]>;
  readonly timing?: Partial<RlsSpec["timing"]>;
}

const common: RlsSpec = {
  seed: 11,
  neurons: 200,
  excitatory: 100,
  timing: { dtMs: 0.1, stimulusOnMs: 10, stimulusOffMs: 20, trainMs: 80, learnEveryMs: 10 },
  model: { type: "LIF", parameters: {} },
  synapses: { tauExcMs: 3, tauInhMs: 3, tauPlasticMs: 150 },
  drive: { excitatory: 0, inhibitory: 0 },
  static: null,
  plastic: { inputsPerType: 16, weightScale: 1, inhibitoryScale: 1, activeFraction: 1, trained: "all" },
  feedforward: null,
  noise: { model: "voltage", sigma: 0.65 },
  stimulus: { tauMs: 20, sigma: 0.2 },
  tasks: 1,
  learning: {
    lambda: 0.04,
    lambdaFeedforward: 1,
    mu: 0,
    forgetting: 1,
    precision: "f32",
    block: 1,
    window: 0,
    compat: "none",
    dale: false,
    maxWeight: Number.POSITIVE_INFINITY,
  },
  correlationWindowMs: 20,
};

/** Neurons that noise makes fire; all recurrent synapses are plastic. */
export function noiseNet({ learning, plastic, timing, ...changes }: Changes = {}): RlsSpec {
  return {
    ...common,
    ...changes,
    learning: { ...common.learning, ...learning },
    plastic: { ...common.plastic, ...plastic },
    timing: { ...common.timing, ...timing },
  };
}

/** Neurons that fixed random E and I synapses make fire (K 20, drive as for jx = 0.12 g sqrt(K)). */
export function staticNet(changes: Changes = {}): RlsSpec {
  const jx = 0.12 * Math.sqrt(20);
  return noiseNet({
    static: { K: 20, g: 1, weights: { EE: 0.15, IE: 1, EI: -0.75, II: -1 } },
    drive: { excitatory: 1.5 * jx, inhibitory: jx },
    noise: { model: "voltage", sigma: 0 },
    ...changes,
    learning: { lambda: 0.8, mu: 0.01, ...changes.learning },
  });
}

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
