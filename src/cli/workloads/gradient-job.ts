/** The process that `gradient-process.ts` starts: trains as its argument says and prints what that took. */
import { shuffledBatches } from "../../data/encoding/batches.ts";
import { makeEncoder } from "../../data/encoding/make-encoder.ts";
import { SamplePreparation } from "../../data/encoding/prepare-samples.ts";
import { openLabelledFile } from "../../data/labelled/open-labelled-set.node.ts";
import type { LabelledSet } from "../../data/labelled-set.ts";
import { bundledFile } from "../../experiment/presets.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import { createGradientTrainer } from "../../learning/gradient/trainer.node.ts";
import type { GradientTrainer } from "../../learning/gradient/trainer.ts";
import { initialEngine, shdLikeData, trainingOf } from "./gradient-networks.ts";
import type { GradientJob, JobData, JobResult } from "./gradient-process.ts";
import { peakRssBytes } from "./measurement.ts";

/** Samples as they are asked for. */
interface Source {
  readonly size: number;
  prepare(indices: ArrayLike<number>): Promise<LabelledEvents[]>;
}

function sourceOf(set: LabelledSet, preparation: SamplePreparation): Source {
  return {
    size: set.size,
    prepare: async (indices) => {
      const events = await preparation.prepare(0, indices);
      return events.map((ofSample, i) => ({ events: ofSample, target: { label: set.labels[indices[i]] } }));
    },
  };
}

async function openData(data: JobData): Promise<{ readonly train: Source; readonly test: Source | null }> {
  if (data.type === "shdLike") {
    const { set, preparation } = shdLikeData(data.spikes);
    return { train: sourceOf(set, preparation), test: null };
  }
  const open = async (name: string) => {
    const set = await openLabelledFile(bundledFile(`data/${name}`));
    const encoder = makeEncoder({ type: "bin", dtMs: data.dtMs, steps: data.steps }, set);
    return sourceOf(set, new SamplePreparation({ set, encoder, seed: 0 }));
  };
  return { train: await open("digits-train.h5.gz"), test: await open("digits-test.h5.gz") };
}

async function run(job: GradientJob): Promise<JobResult> {
  const baseBytes = process.memoryUsage().rss;
  const { choice, batch, epochs, threads } = job;
  const { train, test } = await openData(job.data);
  const training = trainingOf(choice);
  const { spec, plan } = training;
  const trainer = await createGradientTrainer(spec, plan, { threads });
  const own = all(train.size);
  try {
    const seconds: number[] = [];
    let last = { correct: 0, loss: 0, spikes: 0, steps: 0 };
    for (let epoch = 1; epoch <= epochs; epoch++) {
      last = { correct: 0, loss: 0, spikes: 0, steps: 0 };
      let inTrainer = 0;
      for (const indices of shuffledBatches(spec.seed, epoch, own, batch)) {
        const samples = await train.prepare(indices);
        const started = performance.now();
        const { correct, loss, counts, steps } = await trainer.trainBatch(samples);
        inTrainer += (performance.now() - started) / 1000;
        last.correct += correct;
        last.loss += loss;
        last.steps += steps;
        for (const count of counts[0]) last.spikes += count;
      }
      seconds.push(inTrainer);
    }
    const peakBytes = peakRssBytes();
    const engine = await initialEngine(training);
    const [sample] = await train.prepare([0]);
    engine.forward(sample.events);
    return {
      seconds,
      accuracy: {
        train: last.correct / own.length,
        test: test === null ? null : await accuracyOn(trainer, await test.prepare(all(test.size))),
      },
      hiddenShare: last.spikes / (last.steps * choice.neurons),
      loss: last.loss / own.length,
      baseBytes,
      peakBytes,
      engineBytes: engine.memoryBytes,
    };
  } finally {
    await trainer.close();
  }
}

const all = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

async function accuracyOn(trainer: GradientTrainer, samples: readonly LabelledEvents[]): Promise<number> {
  const { predicted } = await trainer.test(samples);
  const labels = samples.map(({ target }) => ("label" in target ? target.label : -1));
  return labels.filter((label, i) => predicted[i] === label).length / samples.length;
}

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2]))));
