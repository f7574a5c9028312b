/**
 * What 16 bits save and what they change, of the tape and of the products on the way back: the same network and samples
 * with each, in turns.
 */
import type { ProductFormat } from "../../kernels/rows/integer-dots.ts";
import type { TapeFormat } from "../../kernels/tape.ts";
import { readGradients } from "../../learning/gradient/blocks.ts";
import { tapeBytesPerStep } from "../../learning/gradient/layout.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import { initialEngine, type TrainingChoice, trainingOf } from "./gradient-networks.ts";
import { largestDifference, onePass } from "./gradient-parts.ts";
import { type Spread, spreadOf } from "./measurement.ts";

export interface SixteenBitsRow {
  readonly name: string;
  readonly tape: TapeFormat;
  readonly products: ProductFormat;
  readonly neurons: number;
  readonly steps: number;
  /** Milliseconds per sample. */
  readonly forward: Spread;
  readonly backward: Spread;
  /** Of one sample: the tape, and the whole memory of the engine. */
  readonly tapeBytes: number;
  readonly engineBytes: number;
  /** Of any gradient of all samples from that in 32 bits, relative to the largest of its array. */
  readonly largestDifference: number;
}

const variants = [
  { tape: "float32", products: "float32" },
  { tape: "bfloat16", products: "float32" },
  { tape: "float32", products: "int16" },
  { tape: "bfloat16", products: "int16" },
] as const;

/** The first rounds meet code that is not yet optimised. */
const warmUp = 2;

export async function measureSixteenBits(
  name: string,
  choice: TrainingChoice,
  samples: readonly LabelledEvents[],
  repeat: number,
): Promise<SixteenBitsRow[]> {
  const training = trainingOf(choice);
  const runs = await Promise.all(
    variants.map(async (variant) => ({
      ...variant,
      engine: await initialEngine(training, variant),
      passes: [] as ReturnType<typeof onePass>[],
    })),
  );
  for (let round = -warmUp; round < repeat; round++) {
    for (const { engine, passes } of runs) {
      engine.clearGradients();
      const pass = onePass(engine, training, samples);
      if (round >= 0) passes.push(pass);
    }
  }
  const weightsOf = ({ engine }: (typeof runs)[number]) => {
    const constants = engine.network.populations.map(() => ({}));
    return readGradients(engine.network, engine.programs, engine.valueLayout, constants, engine.gradients).weights;
  };
  const wanted = weightsOf(runs[0]);
  const steps = Math.max(...samples.map(({ events }) => events.steps));
  return runs.map((run) => ({
    name,
    tape: run.tape,
    products: run.products,
    neurons: choice.neurons,
    steps,
    forward: spreadOf(run.passes.map((pass) => pass.forward)),
    backward: spreadOf(run.passes.map((pass) => pass.backward)),
    tapeBytes: steps * tapeBytesPerStep(run.engine.network, run.engine.programs, run.tape),
    engineBytes: run.engine.memoryBytes,
    largestDifference: largestDifference(weightsOf(run), wanted),
  }));
}
