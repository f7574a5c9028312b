/** The process that `gradient-process.ts` starts: trains as its argument says and prints what that took. */
import { shuffledBatches } from "../../data/encoding/batches.ts";
import type { LabelledEvents } from "../../learning/gradient/member.ts";
import { createGradientTrainer } from "../../learning/gradient/trainer.node.ts";
import type { GradientTrainer } from "../../learning/gradient/trainer.ts";
import { shdLikeData, trainingOf } from "./gradient-networks.ts";
import type { GradientJob, JobResult } from "./gradient-process.ts";
import { peakRssBytes } from "./measurement.ts";

async function train(job: GradientJob): Promise<JobResult> {
  const baseBytes = process.memoryUsage().rss;
  const { choice, spikes, testSamples, batch, epochs, threads } = job;
  const { set, preparation } = shdLikeData(spikes);
  const { spec, plan } = trainingOf(choice);
  const trainer = await createGradientTrainer(spec, plan, { threads });
  const prepare = async (indices: Uint32Array): Promise<LabelledEvents[]> => {
    const events = await preparation.prepare(0, indices);
    return events.map((ofSample, i) => ({ events: ofSample, target: { label: set.labels[indices[i]] } }));
  };
  const all = Uint32Array.from({ length: set.size }, (_, i) => i);
  const own = all.subarray(0, set.size - testSamples);
  try {
    const seconds: number[] = [];
    let last = { correct: 0, loss: 0, spikes: 0, steps: 0 };
    for (let epoch = 1; epoch <= epochs; epoch++) {
      last = { correct: 0, loss: 0, spikes: 0, steps: 0 };
      let inTrainer = 0;
      for (const indices of shuffledBatches(spec.seed, epoch, own, batch)) {
        const samples = await prepare(indices);
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
    const tested = all.subarray(own.length);
    return {
      seconds,
      accuracy: {
        train: last.correct / own.length,
        test: tested.length === 0 ? null : await accuracyOn(trainer, await prepare(tested)),
      },
      hiddenShare: last.spikes / (last.steps * choice.neurons),
      loss: last.loss / own.length,
      baseBytes,
      peakBytes: peakRssBytes(),
    };
  } finally {
    await trainer.close();
  }
}

async function accuracyOn(trainer: GradientTrainer, samples: readonly LabelledEvents[]): Promise<number> {
  const { predicted } = await trainer.test(samples);
  const labels = samples.map(({ target }) => ("label" in target ? target.label : -1));
  return labels.filter((label, i) => predicted[i] === label).length / samples.length;
}

process.stdout.write(JSON.stringify(await train(JSON.parse(process.argv[2]))));
